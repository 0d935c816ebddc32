// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_HANDOFF_VALUES_HPP
#define GRACEFUL_WIRE_HANDOFF_VALUES_HPP

#include "wire/totals.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What predecessor and successor say to each other: io.graceful.Handoff as values.
namespace graceful::wire {

/// Versions of the handoff protocol that this build speaks.
inline constexpr std::int64_t handoff_version = 1;

/// Names in `batch::names` that are no listeners. No listener's name starts with '@'.
inline constexpr std::string_view lock_name = "@lock";
inline constexpr std::string_view control_name = "@control";

inline constexpr std::string_view begin_method = "io.graceful.Handoff.Begin";
inline constexpr std::string_view fetch_method = "io.graceful.Handoff.Fetch";
inline constexpr std::string_view ready_method = "io.graceful.Handoff.Ready";
inline constexpr std::string_view settle_method = "io.graceful.Handoff.Settle";
inline constexpr std::string_view report_method = "io.graceful.Handoff.Report";
inline constexpr std::string_view fail_method = "io.graceful.Handoff.Fail";

inline constexpr std::string_view incompatible_version_error =
    "io.graceful.Handoff.IncompatibleVersion";

struct begin {
  std::vector<std::int64_t> versions;
  std::string token;      // empty: the takeover was asked for explicitly
  std::string manager{};  // which service manager looks after it; empty: none
};

struct begun {
  std::int64_t version = 0;
  std::uint64_t generation = 0;
  std::string name;
  std::uint64_t descriptors = 0;
  totals so_far{};
  std::vector<std::string> kept{};  // of the listeners on offer: a service manager holds them too
  bool late_claims = false;         // what Settle says of unwanted listeners is heeded
};

struct fetch {
  std::uint64_t first = 0;
};

struct batch {
  std::uint64_t first = 0;
  std::vector<std::string> names;  // one for each descriptor that comes along
};

struct ready {
  std::vector<std::string> unwanted{};  // of the listeners on offer: the successor takes them not
  bool late_claims = false;             // it may still do so: Settle says which it takes
};

/// Asks whether the successor stays; and says, as the answer to that question, that it is there.
struct settle {
  /// As in `ready`, and in its place: what was asked for since is not among them. None: nothing has
  /// changed.
  std::optional<std::vector<std::string>> unwanted{};
};

/// The answer to Settle.
struct settled {
  bool settled = false;  // false: ask once more, to show that you are there
};

/// The reason that a successor names if it knows none: its upgrader was destroyed.
inline constexpr std::string_view ended_before_ready = "it ended before it was ready";

struct fail {
  std::string reason;
};

/// What a process that drains says to the one that serves.
struct report {
  std::uint64_t generation = 0;
  std::int64_t pid = 0;
  std::uint64_t connections = 0;
  std::uint64_t cut = 0;  // but for those of reports answered on earlier connections
};

/// The answer to Report.
struct reported {
  bool hurry = false;  // cut what is left
};

/// The answer to Ready.
struct readied {
  phase_durations durations;
  bool asks = false;  // before it commits: the first Settle is no answer yet
};

}  // namespace graceful::wire

#endif
