// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/load_report.hpp>

#include "testing/latency_histogram.hpp"

#include <chrono>
#include <cstdint>

namespace graceful::testing {

/// The account of a load. It has no clock, and is not thread-safe.
class tally {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit tally(time_point started);

  void succeeded(std::uint64_t generation, std::chrono::nanoseconds latency, time_point now);
  void failed(const request_lost& failure, time_point now);
  /// Silence ends here. Later successes count, but do not end a silence.
  void stopped(time_point now);

  [[nodiscard]] std::uint64_t ok() const { return report_.ok; }
  [[nodiscard]] std::uint64_t lost() const { return report_.lost(); }
  [[nodiscard]] std::uint64_t served_by(std::uint64_t generation) const {
    return report_.served_by(generation);
  }
  [[nodiscard]] load_report report() const;

 private:
  void end_silence(time_point now);

  load_report report_;
  latency_histogram latencies_;
  time_point last_ok_;
  time_point stopped_ = time_point::max();
};

}  // namespace graceful::testing
