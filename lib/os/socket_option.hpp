// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <optional>

#include <sys/socket.h>

/// getsockopt(2) and setsockopt(2) for options that are numbers.
namespace graceful::os {

/// None, with errno, if the socket has no such option, or `fd` is no socket.
inline std::optional<int> socket_option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, name, &value, &size) != 0) return {};
  return value;
}

/// False, with errno, if that fails.
inline bool set_socket_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/// True if listen(2) has been called on the socket.
inline bool is_listening(int fd) { return socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1; }

}  // namespace graceful::os
