// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_STRESS_STAGE_HPP
#define GRACEFUL_TESTS_STRESS_STAGE_HPP

#include <graceful/testing/deployment.hpp>
#include <graceful/testing/process.hpp>

#include "point.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graceful_stress {

/// Clients of both kinds on one server.
class both_loads {
 public:
  static constexpr int clients_of_each = 3;
  static constexpr std::uint64_t clients = 2 * std::uint64_t{clients_of_each};

  explicit both_loads(graceful::testing::deployment& site);

  /// Each has had some answers more: from this generation, if one is named.
  bool go_on(graceful::testing::deadline until);
  bool reach(std::uint64_t generation, graceful::testing::deadline until);

  /// Of both; the failures of the first.
  struct totals {
    std::uint64_t ok{}, refused{}, lost{};
    std::chrono::milliseconds longest_silence{};
    std::array<graceful::testing::load_report, 2> reports;
    [[nodiscard]] std::string to_string() const;
  };
  totals stop();

 private:
  graceful::testing::deployment& site_;
  graceful::testing::load kept_, connecting_;
};

/// Where upgrades are struck: docs/examples/http_server on a port of its own, which stays when it
/// is started again, with the shim in all its generations.
class stage {
 public:
  explicit stage(std::string server);

  graceful::testing::deployment& site() { return *site_; }
  graceful::testing::fault_injector& faults() { return faults_; }

  /// What the process on the control path says, if one serves there; none if no process of this
  /// stage lives any more. Neither at the deadline: see `until.passed()`.
  std::optional<graceful::server_status> who_serves(graceful::testing::deadline until);

  /// Starts the server again after its end, on the same paths and the same port.
  /// False if it does not serve.
  bool start_afresh(graceful::testing::deadline until);

  /// An upgrade, without the wait for the end of its probation, and the end of its predecessor.
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

/// What both processes call in an upgrade that nobody disturbs, under load: the most of several.
struct recording {
  call_counts predecessor, successor;
};
recording record(stage& on, int upgrades);

inline constexpr std::chrono::seconds patience{20};

}  // namespace graceful_stress

#endif
