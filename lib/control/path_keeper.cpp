// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/path_keeper.hpp"

#include "control/await.hpp"
#include "os/channel.hpp"
#include "os/home_process.hpp"
#include "os/peer.hpp"
#include "os/system_failure.hpp"

#include <cerrno>
#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace graceful {

namespace {

/// Polls instead of using inotify(7): close(2) of an inotify descriptor waits for a grace period of
/// the kernel, more than a second on a busy machine, and so does the end of a killed process. Its
/// successor would see the connection end while the pidfd still says that the process lives.
constexpr std::chrono::seconds path_interval{1};

/// A path that cannot be inspected does not count as gone.
bool is_gone(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/// True if the file is not there, whether or not another one is.
bool is_gone(const std::string& path, const std::optional<os::file_id>& file) {
  const auto there = os::identify(path);
  return there ? there != file : is_gone(path);
}

}  // namespace

path_keeper::path_keeper(asio::io_context& control, log& log, owned_path& owned, settings s,
                         callbacks on)
    : log_{log},
      owned_{owned},
      settings_{std::move(s)},
      callbacks_{std::move(on)},
      directory_{std::filesystem::path{settings_.path}.parent_path().string()},
      timer_{control} {
  struct stat status {};
  // A file may be in the way by now: nobody could enter a directory with its mode.
  if (::stat(directory_.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
  user_ = status.st_uid;
  if (user_ == ::geteuid()) mode_ = status.st_mode & 07777;
}

void path_keeper::stop() {
  stopped_ = true;
  timer_.cancel();
}

void path_keeper::look() {
  try {
    if (!adopted_) adopted_ = os::adopt_control(owned_.control->get());
    if (callbacks_.may_replace() && !(in_place() && callbacks_.rest_in_place())) try_to_put_back();
  } catch (const std::exception& e) {
    log_.error(settings_.called + ": " + std::string{e.what()});  // no memory, or no room in epoll
  }
  call_after(timer_, path_interval, [this] {
    if (!stopped_) look();
  });
}

void path_keeper::try_to_put_back() {
  const auto done = put_back();
  if (!done && !told_) {
    log_.warning("the " + settings_.called + ' ' + settings_.path +
                 " is gone, and this process cannot put it back: " + done.error().message +
                 "; it tries again every second");
  }
  told_ = !done;
}

bool path_keeper::in_place() const {
  const auto lock = os::identify(os::lock_path(settings_.path));
  const auto socket = os::identify(settings_.path);
  return lock && socket && lock == os::identify(owned_.lock->get()) && socket == owned_.file;
}

/// Leaves alone what is in place.
result<void> path_keeper::put_back() {
  if (auto checked = check_socket(); !checked) return checked;
  const auto lock_path = os::lock_path(settings_.path);
  const bool socket_gone = is_gone(settings_.path, owned_.file);
  const bool lock_gone = is_gone(lock_path, os::identify(owned_.lock->get()));
  const bool rest_gone = !callbacks_.rest_in_place();
  if (!socket_gone && !lock_gone && !rest_gone) return {};
  if (auto made = make_directory(); !made) return made;
  auto held = owned_.lock;
  if (lock_gone) {
    auto lock = os::try_lock(settings_.path);
    if (!lock) return lock.error();
    if (!*lock) return failure{errc::already_running, "another process holds its lock now"};
    held = os::share_but_keep(std::move(**lock));
  }
  const auto failed = [&](const failure& why) {
    if (lock_gone) os::remove_path(lock_path, os::identify(held->get()));
    return why;
  };
  if (rest_gone) {
    if (auto back = callbacks_.put_rest_back(); !back) return failed(back.error());
  }
  if (socket_gone) {
    auto control = os::bind_control(settings_.path);
    if (!control) return failed(control.error());
    callbacks_.serve(control->get());
    owned_.control = os::share_but_keep(std::move(*control));
    owned_.file = os::identify(settings_.path);
  }
  owned_.lock = std::move(held);
  log_.warning("the " + settings_.called + ' ' + settings_.path + " had been removed: it is back");
  return {};
}

/// Checks whether the socket at the path is this process's. Another process may have bound it.
result<void> path_keeper::check_socket() {
  const auto socket = os::identify(settings_.path);
  if (!socket) {
    if (is_gone(settings_.path)) owned_.file.reset();
    return {};
  }
  if (socket == owned_.file) return {};
  const auto probe = os::connect_unix(settings_.path, std::chrono::steady_clock::now());
  const auto listens = probe ? os::peer::of(probe->get()) : std::nullopt;
  if (listens && listens->pid != ::getpid() && !os::peer_has_ended(probe->get())) {
    return failure{errc::already_running,
                   "another process (pid " + std::to_string(listens->pid) + ") listens there now"};
  }
  const bool left_behind = !probe && probe.error().code == os::system_code(ECONNREFUSED);
  if ((listens && listens->pid == ::getpid()) || (!probe && !left_behind)) owned_.file = socket;
  return {};
}

result<void> path_keeper::make_directory() const {
  if (is_gone(directory_)) {
    // A directory of root's would lock out its user, for example a server that has its own path
    // there.
    if (user_ != ::geteuid()) {
      return failure{errc::permission_denied, "the directory " + directory_ +
                                                  " was another user's, who has to make it again"};
    }
    if (::mkdir(directory_.c_str(), mode_) != 0 && errno != EEXIST) {
      return os::system_failure("cannot make the directory " + directory_);
    }
  }
  // Another user may have made it while it was gone, and would control a socket there.
  if (settings_.by_default) return os::check_private_directory(directory_);
  struct stat status {};
  if (::stat(directory_.c_str(), &status) != 0) {
    return os::system_failure("cannot look at the directory " + directory_);
  }
  if (status.st_uid == ::geteuid() || status.st_uid == 0 || status.st_uid == user_) return {};
  return failure{errc::permission_denied,
                 directory_ + " has been made again by another user (" +
                     std::to_string(status.st_uid) +
                     "); remove it, or have the server use another control path"};
}

}  // namespace graceful
