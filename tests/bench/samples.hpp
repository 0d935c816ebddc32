// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace graceful_bench {

/// Monotonic, and the same for all processes of the machine.
using clock = std::chrono::steady_clock;

inline double microseconds(clock::duration d) {
  return std::chrono::duration<double, std::micro>{d}.count();
}

/// The middle one, which a single disturbed round does not change.
inline double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

/// The median, over all rounds, of what `pick` returns.
template <class Round, class Pick>
double median_of(const std::vector<Round>& rounds, Pick pick) {
  std::vector<double> samples;
  samples.reserve(rounds.size());
  for (const Round& round : rounds) samples.push_back(pick(round));
  return median(std::move(samples));
}

}  // namespace graceful_bench
