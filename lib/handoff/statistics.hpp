// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_HANDOFF_STATISTICS_HPP
#define GRACEFUL_HANDOFF_STATISTICS_HPP

#include "wire/totals.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace graceful {

/// What became of the upgrades, here and in the generations before, and what a predecessor that
/// drains says of its connections. Thread-safe: written by the control thread, read by any.
class statistics {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// What the predecessor has counted, when this process connects to it.
  void inherit(const wire::totals& before);

  /// An upgrade that was `started` then has come to `phase`. Both times are rounded down to
  /// milliseconds, so that durations add up to what has elapsed.
  struct step {
    std::chrono::milliseconds elapsed;   // since it was started
    std::chrono::milliseconds duration;  // since the phase before
  };
  step reach(std::string_view phase, time started, time now);

  /// This process accepts again, though what it spawned may have yet to end.
  void resume();
  /// The upgrade has failed: rolled back, if its successor was ready.
  void fail();

  /// This process serves, and may have to go again. `phases` is what its predecessor has measured.
  void ready(wire::phase_durations phases, time now);
  /// It stays.
  void taken_over(time now);

  /// What earlier generations have left to drain, and have cut since they said so last.
  void others_drain(std::uint64_t connections);
  void others_cut(std::uint64_t connections);

  /// What a successor inherits.
  [[nodiscard]] wire::totals totals() const;

  /// Of the upgrade that runs, or else of the last one.
  [[nodiscard]] wire::phase_durations durations() const;

  /// The same, as if that had come to `phase` now.
  [[nodiscard]] wire::phase_durations durations_to(std::string_view phase, time now) const;

  [[nodiscard]] std::uint64_t draining_before() const;  ///< Connections of earlier generations.
  [[nodiscard]] bool upgrading() const;
  [[nodiscard]] bool probation() const;  ///< The successor serves, and is not committed yet.

 private:
  mutable std::mutex mutex_;
  wire::totals totals_;
  wire::phase_durations durations_;
  std::optional<time> reached_;  // the last phase of the upgrade that runs
  bool probation_ = false;
  time ready_at_;
  std::uint64_t others_connections_ = 0;
};

}  // namespace graceful

#endif
