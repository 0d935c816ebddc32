// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/control_path.hpp"

#include "os/channel.hpp"
#include "os/lock_owners.hpp"
#include "os/peer.hpp"
#include "os/socket_option.hpp"
#include "os/system_failure.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr int control_backlog = 128;

/// How long a listener may leave a connection unanswered before it counts as alive but busy.
constexpr std::chrono::seconds probe_time{1};

constexpr std::chrono::milliseconds probe_pause{250};

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

std::string directory_of(const std::string& path) {
  const std::filesystem::path whole{path};
  return whole.has_parent_path() ? whole.parent_path().string() : ".";
}

failure no_directory(const std::string& control_path) {
  return {system_code(ENOENT), "the directory " + directory_of(control_path) +
                                   " of the control path does not exist: make it, or choose "
                                   "another control path"};
}

failure path_too_long(const std::string& path, const std::string& why) {
  return {errc::path_too_long, "the control path " + path + " is too long: " + why +
                                   "; choose a shorter options::control_path"};
}

}  // namespace

std::string temporary_name() {
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), ".%08x", std::random_device{}());
  return name.data();
}

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

result<void> check_replaceable(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return system_failure("cannot look at the control path " + path);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return failure{errc::path_in_use, "the control path " + path +
                                          " exists and is no socket; remove it or choose another"};
  }
  // The dead listener may have a successor, which calls listen(2) in a moment.
  const auto until = std::chrono::steady_clock::now() + probe_time;
  for (;;) {
    const auto probe = connect_unix(path, until);
    if (!probe && (probe.error().code == system_code(ECONNREFUSED) ||
                   probe.error().code == system_code(ENOENT))) {
      return {};
    }
    if (!probe || !peer_has_ended(probe->get())) break;
    if (std::chrono::steady_clock::now() >= until) return {};
    ::poll(nullptr, 0, static_cast<int>(probe_pause.count()));
  }
  return failure{errc::already_running,
                 "somebody listens on the control path " + path + ", although its lock is free"};
}

result<void> make_private_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_failure("cannot make the directory " + directory + " for the control socket");
  }
  return check_private_directory(directory);
}

result<void> check_private_directory(const std::string& directory) {
  struct stat status {};
  if (::lstat(directory.c_str(), &status) != 0) {
    return system_failure("cannot look at the directory " + directory);
  }
  if (!S_ISDIR(status.st_mode) || !is_own_user(status.st_uid) || (status.st_mode & 022) != 0) {
    return failure{errc::permission_denied,
                   directory +
                       " is not a directory that only this user can write to; remove it, "
                       "or have the server use another control path"};
  }
  return {};
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
                         " is not a regular file of this user, of one name; remove it, or choose "
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

result<unique_fd> bind_control(const std::string& path) {
  const std::string where = directory_of(path);
  const unique_fd directory{::open(where.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!directory && errno != ENAMETOOLONG) {
    return system_failure("cannot open the directory of the control socket " + path);
  }
  if (path.size() > longest_socket_path) {
    return path_too_long(
        path, "a Unix socket's path has at most " + std::to_string(longest_socket_path) + " bytes");
  }
  // Bound through /proc, so that a long directory name leaves room for the temporary name.
  const auto name = temporary_name();
  auto temporary = "/proc/self/fd/" + std::to_string(directory.get());
  if (struct stat status{}; ::stat(temporary.c_str(), &status) != 0) {
    temporary = where;  // there is no /proc, for instance in a chroot
  }
  temporary.append("/").append(name);
  const auto address = unix_address(temporary);
  if (!address) {
    return path_too_long(path, "without a /proc its directory has at most " +
                                   std::to_string(longest_socket_path - 1 - name.size()) +
                                   " bytes");
  }
  if (auto replaceable = check_replaceable(path); !replaceable) return replaceable.error();

  unique_fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) return system_failure("cannot make the control socket");
  // The file that bind(2) makes gets the mode of the socket: at no moment is it open to others,
  // whatever the umask.
  if (::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return system_failure("cannot bind the control socket " + path);
  }
  if (::listen(fd.get(), control_backlog) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto why = system_failure("cannot put the control socket at " + path);
    ::unlink(temporary.c_str());
    return why;
  }
  return fd;
}

result<void> check_control(int fd) {
  if (is_listening(fd) && socket_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_UNIX) return {};
  return failure{errc::wrong_socket,
                 "the control socket that was passed is no listening Unix socket"};
}

bool adopt_control(int fd) { return ::listen(fd, control_backlog) == 0; }

std::optional<file_id> identify(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  return file_id{status.st_dev, status.st_ino};
}

std::optional<file_id> identify(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return {};
  return file_id{status.st_dev, status.st_ino};
}

void remove_path(const std::string& path, const std::optional<file_id>& file) {
  if (file && identify(path) == file) ::unlink(path.c_str());
}

}  // namespace graceful::os
