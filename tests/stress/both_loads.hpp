// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deployment.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

namespace graceful_stress {

/// Clients of both kinds on one server.
class both_loads {
 public:
  static constexpr int clients_of_each = 3;
  static constexpr std::uint64_t clients = 2 * std::uint64_t{clients_of_each};
  static constexpr double requests_a_second =
      90;  // of each kind: a few at each moment of an upgrade
  static constexpr std::uint64_t some_requests = 6;

  /// `each` kind has so many clients, and such a rate.
  explicit both_loads(graceful::testing::deployment& site,
                      graceful::testing::http_load each = {.connections = clients_of_each,
                                                           .rate = requests_a_second});

  /// Waits until each has had some more answers: from this generation, if one is named.
  bool go_on(graceful::testing::deadline until);
  bool reach(std::uint64_t generation, graceful::testing::deadline until,
             std::uint64_t some = some_requests);

  /// Counts of both loads; failures of the first.
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

}  // namespace graceful_stress
