// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/control_path.hpp"

#include "os/channel.hpp"
#include "os/peer.hpp"
#include "os/socket_option.hpp"
#include "os/system_failure.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr int control_backlog = 128;

/// How long a listener may leave a connection unanswered before it counts as alive but busy.
constexpr std::chrono::seconds probe_time{1};

constexpr std::chrono::milliseconds probe_pause{250};

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

std::string directory_of(const std::string& path) {
  const std::filesystem::path whole{path};
  return whole.has_parent_path() ? whole.parent_path().string() : ".";
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
                 "a process listens on the control path " + path +
                     " without holding its lock; end it, or choose another control path"};
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
