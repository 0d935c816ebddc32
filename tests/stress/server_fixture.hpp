// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deployment.hpp>
#include <graceful/testing/process.hpp>

#include "both_loads.hpp"
#include "point.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graceful_stress {

/// Where faults strike upgrades: docs/examples/http_server on its own port, which it keeps when it
/// is started again, with the shim in all its generations.
class server_fixture {
 public:
  explicit server_fixture(std::string server);

  graceful::testing::deployment& site() { return *site_; }
  graceful::testing::fault_injector& faults() { return faults_; }

  /// The status of the process on the control path, if one serves there; none if no process of this
  /// server_fixture is alive any more. Neither at the deadline: see `until.passed()`.
  std::optional<graceful::server_status> who_serves(graceful::testing::deadline until);

  /// Starts the server again after its end, with the same paths and the same port. False if it does
  /// not serve.
  bool start_afresh(graceful::testing::deadline until);

  /// Makes an upgrade without waiting for the end of its probation or of its predecessor.
  graceful::testing::upgrade_outcome upgrade();

  [[nodiscard]] std::string report();

 private:
  [[nodiscard]] bool somebody_lives() const;
  [[nodiscard]] std::vector<std::string> command(const std::string& control) const;

  std::string server_;
  std::uint16_t port_;
  graceful::testing::fault_injector faults_;
  std::optional<graceful::testing::process> afresh_;
  std::optional<graceful::testing::deployment> site_;
};

/// The calls of both processes in an undisturbed upgrade under load: the maximum of several.
struct recording {
  call_counts predecessor, successor;
};
recording record(server_fixture& on, int upgrades);

inline constexpr std::chrono::seconds patience{20};

}  // namespace graceful_stress
