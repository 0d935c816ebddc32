// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <string>
#include <vector>

namespace graceful_stress {

/// Tells whether a value stays the same over the generations.
struct flatness {
  double median{};
  double least{}, most{};
  double growth{};       ///< From the first to the last, along the least-squares line.
  double uncertainty{};  ///< The standard error of `growth`.

  /// True if it grows by more than `much`, and by more than four standard errors, so that it is not
  /// noise.
  [[nodiscard]] bool grows_by(double much) const;

  [[nodiscard]] std::string to_string() const;
};

/// Needs at least three values, one for each generation.
flatness flatness_of(const std::vector<double>& values);

}  // namespace graceful_stress
