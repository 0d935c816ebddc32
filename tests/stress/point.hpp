// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_STRESS_POINT_HPP
#define GRACEFUL_TESTS_STRESS_POINT_HPP

#include <graceful/testing/fault.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graceful_stress {

enum class side { predecessor, successor };

/// Where one of the two processes of an upgrade is killed: before or after its k-th call of a kind,
/// counted in the predecessor from just before the upgrade is asked for, in the successor from its
/// start on; or before or after a step of the handoff. Or which of its calls fails, with what.
struct point {
  side victim{};
  graceful::testing::fault fault{};

  [[nodiscard]] bool kills() const { return fault.what == graceful::testing::fault::action::kill; }

  /// "predecessor before call accept4 3", "successor fail:24 before call accept4 1": what `parse`
  /// takes.
  [[nodiscard]] std::string to_string() const;
  static std::optional<point> parse(std::string_view text);
};

/// How many calls of each kind a process makes in an upgrade.
using call_counts = std::map<std::string, std::uint64_t>;

enum class harm { kills, errors };

/// All points of an upgrade in which these calls are made, in an order in which each side, step
/// and kind takes its turn: so the first few have something of everything. Errors are EMFILE,
/// ENOMEM, ENOSPC, EPERM and ENOSYS, each in each call but those that only wait, or cannot fail.
std::vector<point> points_of(const call_counts& predecessor, const call_counts& successor,
                             harm what, std::uint64_t seed);

}  // namespace graceful_stress

#endif
