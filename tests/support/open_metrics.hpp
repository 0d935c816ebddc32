// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace graceful_test {

/// The contents of a text in the format of OpenMetrics 1.0.
struct open_metrics {
  std::map<std::string, std::string> types;  ///< By family.
  std::map<std::string, double> samples;     ///< "name{label=value}", labels sorted, unescaped.

  /// -1 if there is no such sample.
  [[nodiscard]] double at(const std::string& sample) const {
    const auto found = samples.find(sample);
    return found == samples.end() ? -1 : found->second;
  }
};

/// Stricter than the format: each family has TYPE and HELP, and at least one sample. Knows the
/// types counter, gauge, info and stateset. Throws `std::runtime_error` with the offending line.
open_metrics parse_open_metrics(std::string_view text);

}  // namespace graceful_test
