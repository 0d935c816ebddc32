// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/load.hpp>

#include "host.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graceful_systemd {

[[nodiscard]] bool contains(const std::string& text, const std::string& part);

struct service_params {
  manager kind = manager::system;
  /// The server's options. The listener has any port. The probation is short, to keep the tests
  /// short. A connection counts as idle only after its client had time to run, however busy the
  /// machine is.
  std::string options = "--listen 127.0.0.1:0 --probation 100ms --idle-grace 5s";
  std::string drop_in{};   ///< Overrides for the unit.
  bool by_socket = false;  ///< With docs/examples/http_server.socket, on 127.0.0.1.
  std::uint16_t port{};    ///< The socket's port.
};

/// docs/examples/http_server.service on a host of its own, as in the file except for the drop-in.
/// It is installed, but not started.
class service {
 public:
  static constexpr const char* unit = "http_server.service";
  static constexpr const char* socket_unit = "http_server.socket";

  explicit service(const service_params& params = {});

  /// The path as the host names it.
  [[nodiscard]] std::string control() const;

  [[nodiscard]] host& place() { return host_; }

  finished start() { return host_.systemctl({"start", unit}); }
  finished reload() { return host_.systemctl({"reload", unit}); }
  finished restart() { return host_.systemctl({"restart", unit}); }
  finished stop() { return host_.systemctl({"stop", unit}); }

  unit_state state() { return host_.state(unit); }
  std::vector<unit_process> processes() { return host_.processes(unit); }

  /// The main process, as systemd and as the test number it.
  unit_process main();

  /// Sends a signal by pidfd, so that it can reach only the process that has this pid now. False if
  /// there is none.
  bool signal(pid_t outside, int number);
  bool wait_gone(pid_t outside);

  graceful::server_status server();  ///< From Status; throws if there is no answer.
  std::uint16_t port();              ///< Valid as long as it serves.

  /// What has happened, for a test that failed.
  std::string report();

 private:
  manager kind_;
  host host_;
};

/// Clients of both kinds: some keep their connections, others make one for each request.
class both_loads {
 public:
  static constexpr int clients_of_each = 4;

  explicit both_loads(std::uint16_t port);

  /// Waits until each kind has had some more answers.
  bool go_on();
  bool reach(std::uint64_t generation);

  /// Waits for new connections only: in probation the predecessor keeps those that it has.
  bool reach_by_new_connections(std::uint64_t generation);

  struct totals {
    std::uint64_t ok{}, lost{}, refused{}, timed_out{};
    std::uint64_t latest{};  ///< Answers of the latest generation.
    std::string text;
  };
  totals stop();

 private:
  load kept_, closing_;
};

/// A connection in the middle of a request: the process that has it drains until it ends.
class held_connection {
 public:
  explicit held_connection(std::uint16_t port);
  std::uint64_t finish();  ///< Returns the generation that has answered.

 private:
  http_connection connection_;
};

}  // namespace graceful_systemd
