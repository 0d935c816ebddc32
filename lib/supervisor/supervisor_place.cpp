// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/supervisor_place.hpp"

#include <graceful/supervisor_client.hpp>

#include "control/control_paths.hpp"
#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/close_aside.hpp"
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"
#include "supervisor/server_process.hpp"
#include "wire/fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful {

namespace {

constexpr std::chrono::seconds look_time{1};
constexpr std::chrono::milliseconds look_again_after{20};

std::string absolute(const std::string& path) {
  std::error_code ec;
  const auto whole = std::filesystem::absolute(path, ec);
  return ec ? path : whole.lexically_normal().string();
}

/// The process that the note names, if it is still the same one.
std::optional<named_process> noted_main(const std::string& path) {
  std::ifstream file{path};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  boost::system::error_code ec;
  const auto value = boost::json::parse(text, ec);
  if (ec || !value.is_object()) return {};
  const auto& note = value.get_object();
  const auto pid = wire::int_field(note, "pid");
  const auto started = wire::count_field(note, "started");
  const auto space = wire::string_field(note, "space");
  if (!pid || !started || !space) return {};
  const os::process_identity noted{static_cast<pid_t>(*pid), *started, *space};
  // Open the pidfd first: after the check the number cannot become another process's.
  auto pidfd = os::open_pidfd(noted.pid);
  if (os::process_identity::of(noted.pid) != noted) return {};
  return named_process{.pid = noted.pid, .pidfd = std::move(pidfd)};
}

}  // namespace

result<supervisor_paths> supervisor_paths::of(const supervisor_params& params) {
  supervisor_paths paths;
  if (params.control_path.empty()) {
    options opts;
    opts.name = params.name.empty()
                    ? std::filesystem::path{params.command.front()}.filename().string()
                    : params.name;
    auto control = control_path_of(opts);
    if (!control && params.socket_path.empty()) {
      if (control.error().code != errc::invalid_argument) return control.error();
      return failure{errc::invalid_argument,
                     "'" + opts.name +
                         "' cannot be the name of a server; name it by --name, or "
                         "its control socket by --control"};
    }
    if (control) paths.control = *control;
  } else {
    paths.control = absolute(params.control_path);
  }
  paths.socket = params.socket_path.empty() ? default_supervisor_path(paths.control)
                                            : absolute(params.socket_path);
  return paths;
}

result<supervisor_place> supervisor_place::take(supervisor_paths paths) {
  descriptors open;
  auto lock = os::try_lock(paths.socket);
  if (!lock) return lock.error();
  if (!*lock) {
    return failure{
        errc::already_running,
        "a supervisor runs already at " + paths.socket +
            ". To replace the server: graceful-ctl upgrade " + paths.control +
            "; to have another server take over from it, as in another container, give "
            "this supervisor a place of its own by --socket, and set GRACEFUL_TAKEOVER=1"};
  }
  open.lock = std::move(**lock);
  // A supervisor may answer there although its lock file was removed: replace nothing of its.
  if (auto free = os::check_replaceable(paths.socket); !free) return free.error();
  // Before the control socket: a server that finds that one sends here at once.
  auto notify = os::bind_notify(paths.notify());
  if (!notify) return notify.error();
  open.notify = std::move(*notify);
  auto control = os::bind_control(paths.socket);
  if (!control) return control.error();
  open.control = std::move(*control);
  return supervisor_place{std::move(paths), std::move(open)};
}

supervisor_place::supervisor_place(supervisor_paths paths, descriptors open)
    : paths_{std::move(paths)},
      owned_{.lock = std::make_shared<const unique_fd>(std::move(open.lock)),
             .control = std::make_shared<const unique_fd>(std::move(open.control)),
             .file = os::identify(paths_.socket)},
      notify_{std::move(open.notify)},
      notify_file_{os::identify(paths_.notify())} {}

supervisor_place::~supervisor_place() { os::close_connection(std::move(notify_)); }

result<void> supervisor_place::hear_again(const std::function<void(int notify)>& on_it) {
  auto notify = os::bind_notify(paths_.notify());
  if (!notify) return notify.error();
  on_it(notify->get());
  os::close_connection(std::exchange(notify_, std::move(*notify)));
  notify_file_ = os::identify(paths_.notify());
  return {};
}

result<void> supervisor_place::note_main(pid_t pid) {
  auto identity = os::process_identity::of(pid);
  if (!identity) {
    if (os::process_identity::of(::getpid())) return {};  // it has ended: an event will follow
    // There is no /proc, and no process is adopted by a number alone. But a note makes a later
    // supervisor check which process serves the control path.
    identity = os::process_identity{.pid = 0, .started = 0, .space = {}};
  }
  boost::json::object note;
  note["pid"] = identity->pid;
  note["started"] = wire::number(identity->started);
  note["space"] = identity->space;
  const std::string text = boost::json::serialize(note) + '\n';
  const std::string temporary = paths_.main() + ".new";
  ::unlink(temporary.c_str());  // whatever it is, so that no existing file is written to
  unique_fd file{
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::rename(temporary.c_str(), paths_.main().c_str()) != 0) {
    return os::system_failure("cannot write " + paths_.main());
  }
  return {};
}

std::optional<named_process> supervisor_place::find_main() const {
  // Without a note no supervisor has left a server behind: this one does not manage a server that
  // runs.
  struct stat status {};
  if (::lstat(paths_.main().c_str(), &status) != 0 || status.st_uid != ::geteuid()) return {};
  // It may have been upgraded since. The listening process may have ended just now, with a
  // successor about to follow: its number would one day be another process's.
  const auto until = std::chrono::steady_clock::now() + look_time;
  while (!paths_.control.empty()) {
    auto server = path_server::of(paths_.control, until);
    if (server.own_user && server.pid > 0) {
      return named_process{.pid = server.pid, .pidfd = std::move(server.pidfd)};
    }
    const bool again =
        server.what == path_server::kind::unknown && std::chrono::steady_clock::now() < until;
    if (!again) break;
    ::poll(nullptr, 0, static_cast<int>(look_again_after.count()));
  }
  return noted_main(paths_.main());
}

void supervisor_place::leave() {
  const auto lock = os::identify(owned_.lock->get());
  if (os::identify(os::lock_path(paths_.socket)) == lock) ::unlink(paths_.main().c_str());
  os::remove_path(paths_.notify(), notify_file_);
  os::remove_path(paths_.socket, owned_.file);
  os::remove_path(os::lock_path(paths_.socket), lock);
}

}  // namespace graceful
