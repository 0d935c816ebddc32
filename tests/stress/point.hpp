// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

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
/// or before or after a step of the handoff. In the predecessor calls count from just before the
/// upgrade is asked for, in the successor from its start. Or which of its calls fails, and with
/// which error.
struct point {
  side victim{};
  graceful::testing::fault fault{};

  [[nodiscard]] bool kills() const { return fault.what == graceful::testing::fault::action::kill; }

  /// "predecessor before call accept4 3", "successor fail:24 before call accept4 1": `parse` reads
  /// it.
  [[nodiscard]] std::string to_string() const;
  static std::optional<point> parse(std::string_view text);
};

/// How many calls of each kind a process makes in an upgrade.
using call_counts = std::map<std::string, std::uint64_t>;

enum class harm { kills, errors };

/// All points of an upgrade that makes these calls. Sides, steps and kinds take turns, so the first
/// few points have something of everything. Errors are EMFILE, ENOMEM, ENOSPC, EPERM and ENOSYS,
/// for each call except those that only wait, or cannot fail.
std::vector<point> points_of(const call_counts& predecessor, const call_counts& successor,
                             harm what, std::uint64_t seed);

}  // namespace graceful_stress
