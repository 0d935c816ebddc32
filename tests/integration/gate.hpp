// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_INTEGRATION_GATE_HPP
#define GRACEFUL_TESTS_INTEGRATION_GATE_HPP

#include "server_fixture.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace graceful_test {

/// Holds a server between taking everything over and ready(), until a test opens the gate.
class gate {
 public:
  explicit gate(scene& where);

  /// The gated server, as a successor or predecessor in place of an http_server.
  [[nodiscard]] std::vector<std::string> server(const std::string& control,
                                                std::uint16_t port) const;

  /// graceful-ctl upgrade to it: the command line, or running.
  [[nodiscard]] std::vector<std::string> upgrade(const server_fixture& s) const;
  process& start_upgrade(server_fixture& s) const;

  /// Lets one server through. Waits until a server is there.
  void open() const;

  /// Makes one server end before it is ready, with status 4.
  void give_up() const;

 private:
  void say(std::string_view line) const;

  std::string path_;
};

}  // namespace graceful_test

#endif
