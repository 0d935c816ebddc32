// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "flatness.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <stdexcept>

namespace graceful_stress {

bool flatness::grows_by(double much) const { return growth > much && growth > 4 * uncertainty; }

std::string flatness::to_string() const {
  char text[160];
  std::snprintf(text, sizeof text, "median %.0f, from %.0f to %.0f, growth %+.1f (+- %.1f)", median,
                least, most, growth, uncertainty);
  return text;
}

flatness flatness_of(const std::vector<double>& values) {
  if (values.size() < 3) throw std::invalid_argument{"a line needs three points at least"};
  auto sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(values.size());
  const double middle = (n - 1) / 2;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double covered = 0, together = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) - middle;
    covered += x * x;
    together += x * (values[i] - mean);
  }
  const double slope = together / covered;
  double rest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double off = values[i] - mean - slope * (static_cast<double>(i) - middle);
    rest += off * off;
  }
  return {.median = sorted[sorted.size() / 2],
          .least = sorted.front(),
          .most = sorted.back(),
          .growth = slope * (n - 1),
          .uncertainty = std::sqrt(rest / (n - 2) / covered) * (n - 1)};
}

}  // namespace graceful_stress
