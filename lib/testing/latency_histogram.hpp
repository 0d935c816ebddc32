// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

namespace graceful::testing {

/// Latencies with a precision of seven binary digits: a few hundred distinct values, however many
/// requests there are.
class latency_histogram {
 public:
  void add(std::chrono::nanoseconds latency);

  /// The time within which `share` per mille were answered (nearest rank), rounded down by less
  /// than 1/64. 0 if there were none.
  [[nodiscard]] std::chrono::microseconds per_mille(std::uint64_t share) const;

  [[nodiscard]] std::chrono::microseconds max() const { return max_; }

 private:
  std::map<std::uint64_t, std::uint64_t> requests_;  // by latency in microseconds
  std::uint64_t total_ = 0;
  std::chrono::microseconds max_{};
};

}  // namespace graceful::testing
