// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_TOTALS_HPP
#define GRACEFUL_WIRE_TOTALS_HPP

#include <graceful/phases.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace graceful::wire {

/// Counts over all generations: each passes its own on to the next.
struct totals {
  std::uint64_t committed = 0;    // upgrades whose successor stayed
  std::uint64_t failed = 0;       // upgrades whose successor was never ready
  std::uint64_t rolled_back = 0;  // upgrades whose successor was ready and did not stay
  std::uint64_t cut = 0;          // connections that were cut at the deadline of a drain
};

/// The phases of an upgrade, in order.
inline constexpr std::array<std::string_view, 5> upgrade_phases{
    phases::spawned, phases::begun, phases::passed, phases::ready, phases::committed};

/// How long each phase that an upgrade has reached took, counted from the previous one.
using phase_durations = std::map<std::string, std::chrono::microseconds, std::less<>>;

}  // namespace graceful::wire

#endif
