// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cstdint>
#include <string>

#include <sys/socket.h>

namespace graceful::os {

/// An address of a TCP socket, IPv4 or IPv6.
class socket_address {
 public:
  socket_address() = default;
  socket_address(const sockaddr* address, socklen_t length);

  /// The address that a socket is bound to; family() is AF_UNSPEC if it is unknown.
  static socket_address bound_to(int fd);

  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const sockaddr* data() const;
  [[nodiscard]] socklen_t size() const { return length_; }

  /// Every address of the family: 0.0.0.0 or ::.
  [[nodiscard]] bool is_any() const;

  /// True if a socket bound to this address satisfies a request for `wanted`: port 0 asks for any
  /// port.
  [[nodiscard]] bool satisfies(const socket_address& wanted) const;

  /// "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80".
  [[nodiscard]] std::string to_string() const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace graceful::os
