// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DRAIN_DRAIN_PLAN_HPP
#define GRACEFUL_DRAIN_DRAIN_PLAN_HPP

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

/// When each connection of a draining process hears of which stage, without I/O and without a
/// clock: times in, what is due out.
namespace graceful::handoff {

using connection_id = std::uint64_t;

struct drain_limits {
  std::chrono::milliseconds timeout;     ///< From the begin to the deadline.
  std::chrono::milliseconds idle_grace;  ///< From a connection's being told to its end, if idle.
  std::chrono::milliseconds spread;      ///< Over which the connections are told.
};

class drain_plan {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// What is due for one connection. At the deadline there is nothing to say of any single one.
  struct due {
    connection_id connection;
    enum class kind { draining, idle_grace_over } what;
    bool operator==(const due&) const = default;
  };

  explicit drain_plan(const drain_limits& limits) : limits_{limits} {}

  /// The drain begins, with these connections. A second time is none.
  void begin(time now, const std::vector<connection_id>& open);

  /// A connection has come after the begin, and has been told: what remains is its grace.
  void add(time now, connection_id connection);

  /// The deadline is now.
  void hurry(time now);

  /// What is due, in order of time; each is said once.
  std::vector<due> take(time now);

  /// When something is due next; nothing before the begin and after the deadline.
  [[nodiscard]] std::optional<time> next() const;

  [[nodiscard]] bool begun() const { return deadline_.has_value(); }
  [[nodiscard]] bool expired(time now) const { return deadline_ && now >= *deadline_; }
  /// The same, and `take` has been called since.
  [[nodiscard]] bool over() const { return over_; }

 private:
  drain_limits limits_;
  std::optional<time> deadline_;
  bool over_ = false;
  std::multimap<time, due> agenda_;
};

}  // namespace graceful::handoff

#endif
