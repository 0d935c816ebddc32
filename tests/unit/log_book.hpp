// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "os/log.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graceful_test {

/// Collects log messages.
class log_book {
 public:
  std::vector<std::pair<graceful::log_level, std::string>> entries;
  graceful::log log{[this](graceful::log_level level, std::string_view text) {
    entries.emplace_back(level, text);
  }};

  /// True if a message contains the text.
  [[nodiscard]] bool mentions(std::string_view text) const {
    return std::ranges::any_of(
        entries, [text](const auto& entry) { return entry.second.find(text) != text.npos; });
  }

  /// True if a message of this level contains the text.
  [[nodiscard]] bool mentions(graceful::log_level level, std::string_view text) const {
    return std::ranges::any_of(entries, [level, text](const auto& entry) {
      return entry.first == level && entry.second.find(text) != text.npos;
    });
  }
};

}  // namespace graceful_test
