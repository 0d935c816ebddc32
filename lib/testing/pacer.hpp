// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace graceful::testing {

/// When the requests of a load with a fixed rate are due. It has no clock: a request that is taken
/// late keeps its due time. Thread-safe.
class pacer {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `rate`: requests a second; the first is due at `start`.
  pacer(double rate, time_point start) : rate_{rate}, start_{start} {}

  /// Takes the next request; each is given out once.
  time_point next() { return due(taken_++); }

  /// How many requests are due by then, taken or not.
  [[nodiscard]] std::uint64_t due_by(time_point now) const {
    if (now < start_) return 0;
    const double passed = std::chrono::duration<double>{now - start_}.count();
    return static_cast<std::uint64_t>(std::floor(passed * rate_)) + 1;
  }

 private:
  [[nodiscard]] time_point due(std::uint64_t index) const {
    // Computed from the beginning, not from the last one, so that errors do not add up.
    return start_ + std::chrono::nanoseconds{
                        std::llround(static_cast<double>(index) * 1'000'000'000.0 / rate_)};
  }

  const double rate_;
  const time_point start_;
  std::atomic<std::uint64_t> taken_{0};
};

}  // namespace graceful::testing
