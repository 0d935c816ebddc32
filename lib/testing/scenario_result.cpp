// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/scenario_result.hpp>

#include <ostream>

namespace graceful::testing {

std::string scenario_result::to_string() const {
  std::string text = name_ + (passed_ ? ": passed\n" : ": failed\n") + lines_;
  if (!passed_) text += report_;
  return text;
}

bool scenario_result::expect(bool met, const std::string& what, const std::string& seen) {
  lines_ +=
      met ? "  kept:   " + what + '\n' : "  BROKEN: " + what + "\n          seen: " + seen + '\n';
  passed_ = passed_ && met;
  return met;
}

std::ostream& operator<<(std::ostream& to, const scenario_result& result) {
  return to << result.to_string();
}

}  // namespace graceful::testing
