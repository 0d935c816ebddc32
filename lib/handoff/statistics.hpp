// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "wire/handoff_values.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace graceful {

/// The outcomes of the upgrades, here and in earlier generations, and the connections that draining
/// predecessors report. Thread-safe: the control thread writes, any thread reads.
class statistics {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// Adds what the predecessor has counted, when this process connects to it.
  void inherit(const wire::totals& before);

  /// An upgrade that began at `started` has reached `phase`. Both times are rounded down to
  /// milliseconds, so that the durations add up to the elapsed time.
  struct step {
    std::chrono::milliseconds elapsed;   // since `started`
    std::chrono::milliseconds duration;  // since the previous phase
  };
  step reach(std::string_view phase, time started, time now);

  /// This process accepts again, although the process that it spawned may not have ended yet.
  void resume();
  /// The upgrade has failed. It counts as rolled back if its successor was ready.
  void fail();

  /// This process serves, and may still be rolled back. `durations` is what its predecessor has
  /// measured.
  void ready(wire::phase_durations durations, time now);
  /// This process stays.
  void taken_over(time now);

  /// The connections that earlier generations still have, and how many they have cut since their
  /// last report.
  void others_drain(std::uint64_t connections, std::uint64_t newly_cut = 0);

  struct numbers {
    wire::totals totals{};              ///< What a successor inherits.
    wire::phase_durations durations{};  ///< Of the upgrade under way, or else of the last one.
    std::uint64_t draining_before = 0;  ///< Connections of earlier generations.
    bool upgrading = false;
    bool probation = false;  ///< The successor serves, and is not committed yet.
  };
  [[nodiscard]] numbers now() const;

  /// The durations as if the upgrade under way had reached `phase` at that time.
  [[nodiscard]] wire::phase_durations durations_to(std::string_view phase, time at) const;

 private:
  mutable std::mutex mutex_;
  numbers now_;
  std::optional<time> reached_;  // the last phase of the upgrade under way
  time ready_at_;
};

}  // namespace graceful
