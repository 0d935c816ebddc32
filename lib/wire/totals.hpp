// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_TOTALS_HPP
#define GRACEFUL_WIRE_TOTALS_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace graceful::wire {

/// What is counted over all generations: each passes on what it has.
struct totals {
  std::uint64_t committed = 0;    // upgrades whose successor stayed
  std::uint64_t failed = 0;       // whose successor was never ready
  std::uint64_t rolled_back = 0;  // whose successor was ready, and did not stay
  std::uint64_t cut = 0;          // connections that the deadline of a drain has ended
};

/// The phases of an upgrade, in order.
inline constexpr std::array<std::string_view, 5> phases{"spawned", "begun", "passed", "ready",
                                                        "committed"};

/// How long the phases of an upgrade took that it has reached, each from the one before on.
using phase_durations = std::map<std::string, std::chrono::microseconds, std::less<>>;

}  // namespace graceful::wire

#endif
