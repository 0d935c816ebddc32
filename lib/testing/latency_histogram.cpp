// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/latency_histogram.hpp"

#include <algorithm>
#include <bit>

namespace graceful::testing {

void latency_histogram::add(std::chrono::nanoseconds latency) {
  const auto whole = std::max(std::chrono::floor<std::chrono::microseconds>(latency),
                              std::chrono::microseconds{0});
  const auto value = static_cast<std::uint64_t>(whole.count());
  const int dropped = std::max(static_cast<int>(std::bit_width(value)) - 7, 0);
  ++requests_[value >> dropped << dropped];
  ++total_;
  max_ = std::max(max_, whole);
}

std::chrono::microseconds latency_histogram::per_mille(std::uint64_t share) const {
  std::uint64_t seen = 0;
  for (const auto& [latency, requests] : requests_) {
    seen += requests;
    if (seen * 1000 >= total_ * share) return std::chrono::microseconds{latency};
  }
  return {};
}

}  // namespace graceful::testing
