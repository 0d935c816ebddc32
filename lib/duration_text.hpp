// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_DURATION_TEXT_HPP
#define GRACEFUL_LIB_DURATION_TEXT_HPP

#include <chrono>
#include <string>

namespace graceful {

/// "0.8 s", "2.25 s", "30 s": for people, and exact.
inline std::string in_seconds(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  std::string text = std::to_string(count / 1000);
  if (count % 1000 != 0) {
    auto fraction = std::to_string(1000 + count % 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += '.' + fraction;
  }
  return text + " s";
}

}  // namespace graceful

#endif
