// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

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

/// A gated server in its own scene.
struct gated_site {
  /// Starts it behind `prefix`, and waits until it initialises.
  explicit gated_site(std::vector<std::string> prefix = {},
                      const std::vector<std::string>& more = {}, process_options options = {});

  /// Opens the gate, and waits until it is ready.
  void open();

  /// Runs, or starts, graceful-ctl with these arguments; the control path follows the first.
  finished ctl(std::vector<std::string> arguments);
  process& start_ctl(std::vector<std::string> arguments);

  scene where;
  std::string control = where.path("control.sock");
  gate opening{where};
  process& server;

 private:
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments) const;
};

}  // namespace graceful_test
