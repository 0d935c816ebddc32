// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/reexec.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/start_command.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"
#include "wire/fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful {

namespace {

namespace json = boost::json;

constexpr const char* variable = "GRACEFUL_REEXEC";

/// A key of the note: the process that gets it only tries the program.
constexpr const char* trial = "trial";
constexpr std::chrono::seconds trial_time{4};  // less than the caller waits

json::array numbers_of(const sigset_t& signals) {
  json::array numbers;
  for (int number = 1; number < NSIG; ++number) {
    if (::sigismember(&signals, number) == 1) numbers.emplace_back(number);
  }
  return numbers;
}

sigset_t signals_of(const json::object& o, std::string_view key) {
  sigset_t signals;
  ::sigemptyset(&signals);
  if (const json::value* numbers = o.if_contains(key); numbers && numbers->is_array()) {
    for (const json::value& number : numbers->get_array()) {
      if (number.is_int64()) ::sigaddset(&signals, static_cast<int>(number.get_int64()));
    }
  }
  return signals;
}

json::object describe(const bequest& left) {
  json::array sockets;
  for (const auto& each : left.sockets) {
    sockets.push_back({{"name", each.name}, {"fd", each.fd}});
  }
  const std::chrono::nanoseconds started = left.started.time_since_epoch();
  return {{"memory", supervision::to_json(left.memory)},
          {"started", started.count()},
          {"blocked", numbers_of(left.signals.blocked)},
          {"ignored", numbers_of(left.signals.ignored)},
          {"lock", left.open.lock},
          {"control", left.open.control},
          {"notify", left.open.notify},
          {"caller", left.caller},
          {"sockets", std::move(sockets)}};
}

std::optional<int> number_of(const json::object& o, std::string_view key) {
  const auto number = wire::int_field(o, key);
  if (!number || *number <= STDERR_FILENO) return {};
  return static_cast<int>(*number);
}

/// True if the note names everything that is needed; in a trial the descriptors themselves are not
/// open.
bool is_complete(const json::object& o) {
  const json::value* sockets = o.if_contains("sockets");
  return number_of(o, "lock") && number_of(o, "control") && number_of(o, "notify") &&
         sockets != nullptr && sockets->is_array() &&
         std::ranges::all_of(sockets->get_array(), [](const json::value& each) {
           return each.is_object() && number_of(each.get_object(), "fd") &&
                  wire::string_field(each.get_object(), "name");
         });
}

/// A descriptor that the note names and that is open; close-on-exec from now on.
unique_fd take_descriptor(const json::object& o, std::string_view key) {
  const auto fd = number_of(o, key);
  if (!fd || ::fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0) return {};
  return unique_fd{*fd};
}

std::string read_whole(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& s : strings) result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

void set_inherited(const std::vector<int>& descriptors, bool inherited) {
  for (const int fd : descriptors) ::fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

result<unique_fd> write_note(const json::object& what) {
  const std::string text = to_text(json::serialize(what));  // paths need not be UTF-8
  unique_fd note{::memfd_create("graceful-reexec", MFD_CLOEXEC)};
  if (!note || ::write(note.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(note.get(), 0, SEEK_SET) != 0) {
    return os::system_failure("cannot write down what is kept");
  }
  return note;
}

/// A program that can read the note empties it.
bool is_read(int note) {
  struct stat status {};
  return ::fstat(note, &status) == 0 && status.st_size == 0;
}

result<void> try_out(os::start_command program, json::object what) {
  what[trial] = true;
  const auto note = write_note(what);
  if (!note) return note.error();
  program.set(variable, "3");
  auto attempt =
      os::child::spawn(program, os::placement::child, {{.name = "note", .fd = note->get()}});
  if (!attempt) return attempt.error();
  const bool ended =
      os::wait_readable(attempt->pidfd(), std::chrono::steady_clock::now() + trial_time);
  if (!ended) attempt->kill();
  const auto how = ended ? attempt->reap() : std::nullopt;
  (void)attempt->wait(std::chrono::seconds{1});
  if (is_read(note->get())) return {};
  return failure{errc::upgrade_failed,
                 program.file + " does not work as a supervisor: in a trial it " +
                     (how ? how->to_string()
                          : "was not ready within " + std::to_string(trial_time.count()) + " s")};
}

}  // namespace

failure execute_again(const os::start_command& program, const bequest& left) {
  const auto what = describe(left);
  if (const auto tried = try_out(program, what); !tried) return tried.error();
  const auto note = write_note(what);
  if (!note) return note.error();
  auto next = program;
  next.file = os::current_file(program.file);
  next.set("PWD", next.directory);
  next.set(variable, std::to_string(note->get()));
  std::vector<int> descriptors{note->get(), left.open.lock, left.open.control, left.open.notify,
                               left.caller};
  for (const auto& each : left.sockets) descriptors.push_back(each.fd);

  const auto arguments = pointers(next.arguments);
  const auto environment = pointers(next.environment);
  // Leads back if the exec fails: a symbolic link on the way to the directory may point elsewhere
  // by now.
  const unique_fd here{::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!here || ::chdir(next.directory.c_str()) != 0) {
    return os::system_failure("cannot go to " + next.directory);
  }
  set_inherited(descriptors, true);
  ::execve(next.file.c_str(), arguments.data(), environment.data());
  auto why = os::system_failure("cannot execute " + next.file);
  set_inherited(descriptors, false);
  if (::fchdir(here.get()) != 0) why.message += "; and cannot go back to where it was";
  return why;
}

result<std::optional<legacy>> take_legacy(os::start_command& own) {
  const auto value = own.take(variable);
  if (value.empty()) return std::optional<legacy>{};
  json::object number;
  number["note"] = os::whole_number<int>(value).value_or(-1);
  const unique_fd note = take_descriptor(number, "note");
  boost::system::error_code ec;
  const auto parsed = json::parse(read_whole(note.get()), ec);
  const json::value* memory =
      !ec && parsed.is_object() ? parsed.get_object().if_contains("memory") : nullptr;
  if (memory == nullptr || !memory->is_object()) {
    return failure{
        errc::protocol_violation,
        std::string{"cannot read what the previous program has left; start the supervisor "
                    "without the variable "} +
            variable};
  }
  const json::object& o = parsed.get_object();
  legacy left;
  left.memory = supervision::memory_from(memory->get_object());
  if (wire::bool_field(o, trial).value_or(false)) {
    ::_exit(is_complete(o) && ::ftruncate(note.get(), 0) == 0 ? 0 : 1);
  }
  left.started =
      supervision::time{std::chrono::nanoseconds{wire::int_field(o, "started").value_or(0)}};
  left.signals = {signals_of(o, "blocked"), signals_of(o, "ignored")};
  left.open = {take_descriptor(o, "lock"), take_descriptor(o, "control"),
               take_descriptor(o, "notify")};
  left.caller = take_descriptor(o, "caller");
  if (const json::value* sockets = o.if_contains("sockets"); sockets && sockets->is_array()) {
    for (const json::value& each : sockets->get_array()) {
      if (!each.is_object()) continue;
      auto socket = take_descriptor(each.get_object(), "fd");
      const auto name = wire::string_field(each.get_object(), "name");
      if (socket && name) left.sockets.push_back({*name, std::move(socket)});
    }
  }
  if (!left.open.lock || !left.open.control || !left.open.notify) {
    return failure{errc::descriptors_lost,
                   "cannot go on: the previous program has not left its sockets open; start a "
                   "supervisor again: it adopts the server"};
  }
  return std::optional{std::move(left)};
}

}  // namespace graceful
