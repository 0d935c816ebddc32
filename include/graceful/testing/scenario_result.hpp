// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_SCENARIO_RESULT_HPP
#define GRACEFUL_TESTING_SCENARIO_RESULT_HPP

#include <graceful/detail/api.hpp>

#include <iosfwd>
#include <string>

namespace graceful::testing {

/// Whether a server kept its promises, and which ones it broke. True if it kept all.
class GRACEFUL_API scenario_result {
 public:
  explicit scenario_result(std::string name) : name_{std::move(name)} {}

  [[nodiscard]] bool passed() const { return passed_; }
  explicit operator bool() const { return passed_; }

  /// "rollback: failed", then a line for each promise: what was expected and, if it did not happen,
  /// what was seen. If something failed, the deployment's report follows.
  [[nodiscard]] std::string to_string() const;

  /// Records that `what` was expected; `seen` counts only if it did not happen. Returns `met`.
  bool expect(bool met, const std::string& what, const std::string& seen);

  /// Attaches a report that helps to understand a failure.
  void explain(std::string report) { report_ = std::move(report); }

 private:
  std::string name_;
  std::string lines_;
  std::string report_;
  bool passed_ = true;
};

GRACEFUL_API std::ostream& operator<<(std::ostream& to, const scenario_result& result);

}  // namespace graceful::testing

#endif
