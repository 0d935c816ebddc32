// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include "os/listening_socket.hpp"
#include "os/socket_address.hpp"

#include "eventually.hpp"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

/// Plain sockets without Asio, for tests of what is done to them.
namespace graceful_test {

using namespace graceful::testing;

inline graceful::os::socket_address v4(const char* address, std::uint16_t port = 0) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  if (::inet_pton(AF_INET, address, &a.sin_addr) != 1) throw std::invalid_argument{address};
  return {reinterpret_cast<const sockaddr*>(&a), sizeof a};
}

inline graceful::os::socket_address v6(const char* address, std::uint16_t port = 0,
                                       std::uint32_t scope = 0) {
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(port);
  a.sin6_scope_id = scope;
  if (::inet_pton(AF_INET6, address, &a.sin6_addr) != 1) throw std::invalid_argument{address};
  return {reinterpret_cast<const sockaddr*>(&a), sizeof a};
}

/// A listener on 127.0.0.1 and a port that the kernel chose.
inline graceful::unique_fd listen_anywhere(const graceful::listen_params& params = {}) {
  return graceful::os::listen_tcp(v4("127.0.0.1"), params).value();
}

inline graceful::os::socket_address address_of(const graceful::unique_fd& socket) {
  return graceful::os::socket_address::bound_to(socket.get());
}

/// A client that has connected.
inline graceful::unique_fd connect_to(const graceful::os::socket_address& address) {
  graceful::unique_fd fd{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd || ::connect(fd.get(), address.data(), address.size()) != 0) {
    throw std::system_error{errno, std::system_category(), address.to_string()};
  }
  return fd;
}

/// Whether a connection is established at once, as it is on loopback.
inline bool is_reachable(const graceful::os::socket_address& address) {
  const graceful::unique_fd client{
      ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  ::connect(client.get(), address.data(), address.size());
  pollfd p{.fd = client.get(), .events = POLLOUT, .revents = 0};
  return ::poll(&p, 1, 0) == 1 && (p.revents & POLLERR) == 0;
}

inline int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  if (::getsockopt(fd, level, name, &value, &length) != 0) return -1;
  return value;
}

inline bool is_cloexec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }
inline bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }
inline bool is_open_descriptor(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace graceful_test
