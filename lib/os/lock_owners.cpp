// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/lock_owners.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/control_path.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"
#include "os/whole_file.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// More processes than ever share a lock.
constexpr std::size_t longest_text = 4096;

std::string text_of(int lock) {
  std::array<char, longest_text> buffer;
  const auto length = ::pread(lock, buffer.data(), buffer.size(), 0);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

/// Of proc(5), field 22, which comes 20 behind the name; empty if it cannot be told. Read with
/// plain system calls: the first stream of a process costs more than all else in an upgrade.
std::string own_start_time() {
  const auto text = whole_file("/proc/self/stat");
  auto at = text.rfind(')');
  for (int field = 0; field < 20 && at != text.npos; ++field) at = text.find(' ', at + 1);
  if (at == text.npos) return {};
  return text.substr(at + 1, text.find(' ', at + 1) - at - 1);
}

/// One line: PID START-TIME PID-NAMESPACE. Empty if it cannot be told.
std::string own_line() {
  std::array<char, 64> space{};
  const auto length = ::readlink("/proc/self/ns/pid", space.data(), space.size());
  const auto started = own_start_time();
  if (length <= 0 || started.empty()) return {};
  return std::to_string(::getpid()) + ' ' + started + ' ' +
         std::string{space.data(), static_cast<std::size_t>(length)} + '\n';
}

/// None for a line that nobody has written, or not all of it.
std::optional<process_identity> parse_owner(const std::string& line) {
  process_identity owner{};
  if (!(std::istringstream{line} >> owner.pid >> owner.started >> owner.space)) return {};
  return owner;
}

bool have_ended(int lock) {
  const auto text = text_of(lock);
  std::istringstream lines{text};
  bool any = false;
  for (std::string line; std::getline(lines, line); any = true) {
    const auto owner = parse_owner(line);
    // The last line may be half written: then its owner lives.
    if (lines.eof() || !owner || !owner->has_ended()) return false;
  }
  return any;
}

/// An older build, which has not signed, may have taken over since.
bool nobody_listens(const std::string& control_path) {
  const auto probe = connect_unix(control_path, after(dying_time));
  if (probe) return peer_has_ended(probe->get());
  // A queue that stays full is that of a process that does not accept: it was filled by processes
  // that looked, as this one does.
  return probe.error().code == system_code(ECONNREFUSED) ||
         probe.error().code == system_code(ENOENT) || probe.error().code == errc::timed_out;
}

unique_fd open_lock(const std::string& path) {
  unique_fd lock{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat status {};
  const bool ours = lock && ::fstat(lock.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_uid == ::geteuid();
  return ours ? std::move(lock) : unique_fd{};
}

/// Held from the moment at which it can be seen.
result<unique_fd> make_lock(const std::string& path) {
  const std::string temporary = path + temporary_name();
  unique_fd lock{
      ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!lock) return system_failure("cannot make the lock file " + temporary);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
    sign_lock(lock.get(), signing::alone);
    if (::rename(temporary.c_str(), path.c_str()) == 0) return lock;
  }
  auto why = system_failure("cannot put a new lock file at " + path);
  ::unlink(temporary.c_str());
  return why;
}

}  // namespace

void sign_lock(int lock, signing how) {
  const auto line = own_line();
  if (line.empty()) return;
  auto text = how == signing::beside ? text_of(lock) : std::string{};
  if (text.find(line) == std::string::npos) text += line;
  // Not emptied first: a process that looks just then would find no owner, while there is one. What
  // is left of a longer text behind this one, for a moment, changes nothing: this owner lives.
  const auto written = ::pwrite(lock, text.data(), text.size(), 0);
  if (written == static_cast<ssize_t>(text.size())) (void)!::ftruncate(lock, written);
}

bool owners_have_ended(const std::string& control_path) {
  const auto lock = open_lock(lock_path(control_path));
  return lock && have_ended(lock.get());
}

std::vector<pid_t> living_owners(const std::string& control_path) {
  const unique_fd lock{
      ::open(lock_path(control_path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat status {};
  const bool trusted = lock && ::fstat(lock.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                       (status.st_uid == ::geteuid() || ::geteuid() == 0);
  if (!trusted) return {};
  std::vector<pid_t> living;
  std::istringstream lines{text_of(lock.get())};
  for (std::string line; std::getline(lines, line);) {
    const auto owner = parse_owner(line);
    if (owner && process_identity::of(owner->pid) == owner) living.push_back(owner->pid);
  }
  return living;
}

result<std::optional<unique_fd>> replace_lock(const std::string& control_path) {
  auto lock = open_lock(lock_path(control_path));
  if (!lock) return std::optional<unique_fd>{};
  const lock_guard guard{lock.get(), lock_guard::purpose::replacing};
  const auto socket = identify(control_path);
  // Another process may have replaced it meanwhile.
  if (guard.what() != lock_guard::outcome::held ||
      identify(lock_path(control_path)) != identify(lock.get()) || !have_ended(lock.get()) ||
      !nobody_listens(control_path)) {
    return std::optional<unique_fd>{};
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {  // whoever held it has just gone
    sign_lock(lock.get(), signing::alone);
    return std::optional{std::move(lock)};
  }
  auto made = make_lock(lock_path(control_path));
  if (!made) return made.error();
  struct stat status {};
  const bool is_socket = ::lstat(control_path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
  if (is_socket) remove_path(control_path, socket);
  return std::optional{std::move(*made)};
}

}  // namespace graceful::os
