// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

/// Decides when each connection of a draining process is told which stage. No I/O and no clock:
/// times in, due notices out.
namespace graceful::handoff {

using connection_id = std::uint64_t;

struct drain_limits {
  std::chrono::milliseconds timeout;     ///< From the begin to the deadline.
  std::chrono::milliseconds idle_grace;  ///< From the moment when a connection is told until it
                                         ///< ends, if idle.
  std::chrono::milliseconds spread;      ///< The time over which the connections are told.
};

class drain_plan {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// A notice that is due for one connection. The deadline is not a notice for a single one.
  struct due {
    connection_id connection;
    enum class kind { draining, idle_grace_over } what;
    bool operator==(const due&) const = default;
  };

  explicit drain_plan(const drain_limits& limits) : limits_{limits} {}

  /// Begins the drain with these connections. Has no effect the second time.
  void begin(time now, const std::vector<connection_id>& open);

  /// Adds a connection that came after the begin and has been told already: only its grace remains.
  void add(time now, connection_id connection);

  /// Makes the deadline now.
  void hurry(time now);

  /// Returns what is due, in order of time; each notice once.
  std::vector<due> take(time now);

  /// When something is due next; nothing before the begin and after the deadline.
  [[nodiscard]] std::optional<time> next() const;

  [[nodiscard]] bool begun() const { return deadline_.has_value(); }
  [[nodiscard]] bool expired(time now) const { return deadline_ && now >= *deadline_; }
  /// True if the deadline has passed and `take` has been called since.
  [[nodiscard]] bool over() const { return over_; }

 private:
  drain_limits limits_;
  std::optional<time> deadline_;
  bool over_ = false;
  std::multimap<time, due> agenda_;
};

}  // namespace graceful::handoff
