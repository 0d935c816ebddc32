// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/phases.hpp>

#include "os/error_table.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What predecessor and successor send to each other: io.graceful.Handoff as values.
namespace graceful::wire {

/// The version of the handoff protocol that this build speaks.
inline constexpr std::int64_t handoff_version = 1;

/// Names in `batch::names` that are not listeners. No listener's name starts with '@'.
inline constexpr std::string_view lock_name = "@lock";
inline constexpr std::string_view control_name = "@control";

inline constexpr std::string_view begin_method = "io.graceful.Handoff.Begin";
inline constexpr std::string_view fetch_method = "io.graceful.Handoff.Fetch";
inline constexpr std::string_view ready_method = "io.graceful.Handoff.Ready";
inline constexpr std::string_view settle_method = "io.graceful.Handoff.Settle";
inline constexpr std::string_view report_method = "io.graceful.Handoff.Report";
inline constexpr std::string_view fail_method = "io.graceful.Handoff.Fail";

/// The error that stands for `why`; RolledBack has no value of its own.
constexpr std::string_view handoff_error(errc why) { return entry_of(why).handoff; }
inline constexpr std::string_view rolled_back_error = "io.graceful.Handoff.RolledBack";

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

struct begin {
  std::vector<std::int64_t> versions;
  std::string token;      // empty: the takeover was asked for explicitly
  std::string manager{};  // which service manager manages the successor; empty: none
};

struct begun {
  std::int64_t version = 0;
  std::uint64_t generation = 0;
  std::string name;
  std::uint64_t descriptors = 0;
  totals so_far{};
  std::vector<std::string> kept{};  // those of the listeners on offer that a manager holds too
  bool late_claims = false;         // the unwanted listeners that Settle names are heeded
};

struct fetch {
  std::uint64_t first = 0;
};

struct batch {
  std::uint64_t first = 0;
  std::vector<std::string> names;  // one for each descriptor in the message
};

struct ready {
  std::vector<std::string> unwanted{};  // the listeners on offer that the successor does not take
  bool late_claims = false;             // it may still take them: Settle says which
};

/// Asks whether the successor stays. It also answers the predecessor's question whether the
/// successor is alive.
struct settle {
  /// The same as in `ready`, which it replaces: listeners that were asked for since are not among
  /// them. None: nothing has changed.
  std::optional<std::vector<std::string>> unwanted{};
};

/// The answer to Settle.
struct settled {
  bool settled = false;  // false: ask again, to show that you are alive
};

/// The reason that a successor gives if it knows no other: its upgrader was destroyed.
inline constexpr std::string_view ended_before_ready = "it ended before it was ready";

struct fail {
  std::string reason;
};

/// A report from a draining process to the one that serves.
struct report {
  std::uint64_t generation = 0;
  std::int64_t pid = 0;
  std::uint64_t connections = 0;
  std::uint64_t cut = 0;  // without those in reports that were answered on earlier connections
};

/// The answer to Report.
struct reported {
  bool hurry = false;  // cut what is left
};

/// The answer to Ready.
struct readied {
  phase_durations durations;
  bool asks = false;  // before it commits: the first Settle is not yet an answer
};

}  // namespace graceful::wire
