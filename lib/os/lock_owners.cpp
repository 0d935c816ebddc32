// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/lock_owners.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/control_path.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// Room for more processes than ever share a lock.
constexpr std::size_t longest_text = 4096;

std::string text_of(int lock) {
  std::array<char, longest_text> buffer;
  const auto length = ::pread(lock, buffer.data(), buffer.size(), 0);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

/// One line: PID START-TIME PID-NAMESPACE. Empty if unknown.
std::string own_line() {
  const auto own = process_identity::of_this_process();
  if (!own || own->space.empty()) return {};
  return std::to_string(own->pid) + ' ' + std::to_string(own->started) + ' ' + own->space + '\n';
}

/// None for a line that no owner has written, or not completely.
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
    // The last line may be half written: its owner is then alive.
    if (lines.eof() || !owner || !owner->has_ended()) return false;
  }
  return any;
}

/// An older build, which does not sign, may have taken over since.
bool nobody_listens(const std::string& control_path) {
  const auto probe = connect_unix(control_path, after(dying_time));
  if (probe) return peer_has_ended(probe->get());
  // A queue that stays full belongs to a process that does not accept: processes that probed it, as
  // this one does, have filled it.
  return probe.error().code == system_code(ECONNREFUSED) ||
         probe.error().code == system_code(ENOENT) || probe.error().code == errc::timed_out;
}

/// A lock file of this user; root reads anybody's.
unique_fd open_lock(const std::string& path, int how = O_RDWR) {
  unique_fd lock{::open(path.c_str(), how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  struct stat status {};
  if (!lock || ::fstat(lock.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const bool by_root = how == O_RDONLY && ::geteuid() == 0;
  return status.st_uid == ::geteuid() || by_root ? std::move(lock) : unique_fd{};
}

/// Locks the file before it becomes visible.
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
  // Not truncated first: a process that reads at that moment would find no owner, although there is
  // one. A longer old text leaves some lines behind this one for a moment, which does no harm: this
  // owner is alive.
  const auto written = ::pwrite(lock, text.data(), text.size(), 0);
  if (written == static_cast<ssize_t>(text.size())) (void)!::ftruncate(lock, written);
}

bool owners_have_ended(const std::string& control_path) {
  const auto lock = open_lock(lock_path(control_path));
  return lock && have_ended(lock.get());
}

std::vector<pid_t> living_owners(const std::string& control_path) {
  const auto lock = open_lock(lock_path(control_path), O_RDONLY);
  if (!lock) return {};
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
  // Another process may have replaced the file meanwhile.
  if (guard.what() != lock_guard::outcome::held ||
      identify(lock_path(control_path)) != identify(lock.get()) || !have_ended(lock.get()) ||
      !nobody_listens(control_path)) {
    return std::optional<unique_fd>{};
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {  // the holder has just gone
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
