// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/testing/process.hpp>

#include <chrono>
#include <string>

namespace graceful::testing {

/// Watches a server that is about to start. Construct it before you start the server.
class server_start {
 public:
  /// Takes the control socket and its directory. Throws `std::system_error`.
  server_start(std::string control, const std::string& directory);

  /// Returns the server's status once it serves. Throws `std::runtime_error`, with the server's
  /// output, if it ends before, or takes longer than `patience`.
  server_status wait(process& server, std::chrono::milliseconds patience);

 private:
  const std::string control_;
  graceful::unique_fd changes_;
};

}  // namespace graceful::testing
