// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "wire/handoff_values.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace graceful::wire {

/// The metrics of a server at one moment.
struct metrics {
  std::string version;  // of the library
  std::uint64_t generation = 0;
  std::string state;  // as in Status
  totals so_far;
  phase_durations last_upgrade;
  std::uint64_t connections = 0;
  std::uint64_t connections_draining = 0;
  std::vector<listener_status> listeners;
  std::uint64_t listeners_dropped = 0;  // of the previous generation
};

/// OpenMetrics 1.0: https://github.com/OpenObservability/OpenMetrics. A family without values is
/// left out.
std::string to_open_metrics(const metrics& m);

}  // namespace graceful::wire
