// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include "varlink_peer.hpp"

#include <cstdint>
#include <string>

namespace graceful_test {

/// Listens on a Unix socket to which a subject connects.
class unix_host {
 public:
  explicit unix_host(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Throws `std::runtime_error` at the deadline.
  varlink_peer accept(deadline until);

  /// True if a client waits to be accepted.
  [[nodiscard]] bool has_client() const;

 private:
  std::string path_;
  graceful::unique_fd listener_;
};

/// Everything that a server on this port of 127.0.0.1 sends to a client.
std::string read_from_port(std::uint16_t port);

}  // namespace graceful_test
