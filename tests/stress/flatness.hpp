// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_STRESS_FLATNESS_HPP
#define GRACEFUL_TESTS_STRESS_FLATNESS_HPP

#include <string>
#include <vector>

namespace graceful_stress {

/// Does a figure stay the same from generation to generation?
struct flatness {
  double median{};
  double least{}, most{};
  double growth{};       ///< From the first to the last, along the line of least squares.
  double uncertainty{};  ///< Of `growth`: its standard error.

  /// It grows by more than `much`, and that is no noise: more than four standard errors.
  [[nodiscard]] bool grows_by(double much) const;

  [[nodiscard]] std::string to_string() const;
};

/// Of at least three values, one for each generation.
flatness flatness_of(const std::vector<double>& values);

}  // namespace graceful_stress

#endif
