// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/notify_socket.hpp"

#include "os/system_failure.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

result<unique_fd> bind_notify(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) {
    return failure{errc::path_too_long, "the path " + path +
                                            " is too long for a Unix socket; choose one of at "
                                            "most 107 bytes (--control, --socket)"};
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return failure{errc::path_in_use,
                     path + " exists and is no socket; remove it or choose another"};
    }
    ::unlink(path.c_str());
  }
  unique_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  // Set the mode before the bind: at no moment can others send.
  if (!fd || !name_senders(fd.get()) || ::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return system_failure("cannot put a socket for notifications at " + path);
  }
  return fd;
}

std::optional<inbox> receive_notify(int socket, std::size_t limit) {
  inbox got;
  got.bytes.resize(limit + 1);
  const auto n = receive_message(socket, got.bytes, got);
  if (n < 0) return {};
  got.bytes.resize(static_cast<std::size_t>(n));
  return got;
}

}  // namespace graceful::os
