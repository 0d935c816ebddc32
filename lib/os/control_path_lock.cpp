// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/control_path.hpp"
#include "os/peer.hpp"
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <poll.h>
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
  auto lines = split(text_of(lock), '\n');
  // The last line may be half written: its owner is then alive.
  if (lines.size() < 2 || !lines.back().empty()) return false;
  lines.pop_back();
  return std::ranges::all_of(lines, [](const std::string& line) {
    const auto owner = parse_owner(line);
    return owner && owner->has_ended();
  });
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

/// How long another process may hold the guard of a lock file.
constexpr std::chrono::milliseconds guard_time{100};

/// Far beyond anything that is written there. Where a file system implements flock(2) as such a
/// lock on the whole file, as NFS does, releasing this byte leaves the rest locked.
constexpr off_t guarded_byte = off_t{1} << 30;

bool set_guard(int lock, short type) {
  struct flock region {};
  region.l_type = type;
  region.l_whence = SEEK_SET;
  region.l_start = guarded_byte;
  region.l_len = 1;
  return ::fcntl(lock, F_OFD_SETLK, &region) == 0;
}

failure no_directory(const std::string& control_path) {
  return {system_code(ENOENT), "the directory " + directory_of(control_path) +
                                   " of the control path does not exist: make it, or choose "
                                   "another control path"};
}

}  // namespace

lock_guard::lock_guard(int lock, purpose why) : lock_{lock} {
  const auto until = std::chrono::steady_clock::now() + guard_time;
  const short type = why == purpose::taking ? F_RDLCK : F_WRLCK;
  while (!set_guard(lock_, type)) {
    const bool busy = errno == EAGAIN || errno == EACCES;
    what_ = busy ? outcome::busy : outcome::impossible;
    if (!busy || std::chrono::steady_clock::now() >= until) return;
    ::poll(nullptr, 0, 1);  // fcntl(2) has a call that waits, but none with a deadline
  }
  what_ = outcome::held;
}

lock_guard::~lock_guard() {
  // Not left to close(2): the descriptor stays open, as it is the lock.
  if (what_ == outcome::held) set_guard(lock_, F_UNLCK);
}

result<std::optional<unique_fd>> try_lock(const std::string& control_path) {
  const std::string path = lock_path(control_path);
  for (;;) {
    unique_fd fd{
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)};
    if (!fd && errno == ENOENT) return no_directory(control_path);
    if (!fd) return system_failure("cannot open the lock file " + path);
    struct stat mine {};
    if (::fstat(fd.get(), &mine) != 0) return system_failure("cannot look at " + path);
    // A file with two names may be any file of this user to which another user has made a hard link
    // here.
    if (!S_ISREG(mine.st_mode) || mine.st_uid != ::geteuid() || mine.st_nlink > 1) {
      return failure{errc::permission_denied,
                     "the lock file " + path +
                         " is not a regular file of this user with one name; remove it, or choose "
                         "another control path"};
    }
    const lock_guard guard{fd.get(), lock_guard::purpose::taking};
    if (guard.what() == lock_guard::outcome::busy) return std::optional<unique_fd>{};
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::optional<unique_fd>{};
      return system_failure("cannot lock " + path);
    }
    // The last holder removes the file when it ends, and a lock on a removed file guards nothing.
    if (identify(path) == file_id{mine.st_dev, mine.st_ino}) {
      sign_lock(fd.get(), signing::alone);
      return std::optional{std::move(fd)};
    }
  }
}

bool holds_lock(int fd, const std::string& control_path) {
  const auto named = identify(lock_path(control_path));
  return (!named || identify(fd) == named) && ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

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
  for (const auto& line : split(text_of(lock.get()), '\n')) {
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
