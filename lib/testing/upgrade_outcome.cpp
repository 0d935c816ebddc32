// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/phases.hpp>
#include <graceful/testing/leak_report.hpp>
#include <graceful/testing/upgrade_outcome.hpp>

#include <algorithm>
#include <ostream>

namespace graceful::testing {

bool upgrade_outcome::reached(std::string_view phase) const {
  return std::any_of(phases.begin(), phases.end(),
                     [&](const upgrade_phase& each) { return each.phase == phase; });
}

bool upgrade_outcome::ready() const { return reached(phases::ready); }
bool upgrade_outcome::committed() const { return reached(phases::committed); }
bool upgrade_outcome::failed() const { return static_cast<bool>(code); }
bool upgrade_outcome::rolled_back() const { return code == errc::upgrade_failed && ready(); }
bool upgrade_outcome::busy() const { return code == errc::busy; }

std::string upgrade_outcome::to_string() const {
  std::string text = rolled_back()    ? "rolled back"
                     : failed()       ? "failed"
                     : phases.empty() ? "begun"
                                      : phases.back().phase;
  if (generation != 0) text += ": generation " + std::to_string(generation);
  if (pid != 0) text += ", pid " + std::to_string(pid);
  const char* separator = " (";
  for (const upgrade_phase& phase : phases) {
    text += separator + phase.phase + " " +
            std::to_string(phase.duration.value_or(phase.elapsed).count()) + " ms";
    separator = ", ";
  }
  if (!phases.empty()) text += ")";
  if (!message.empty()) text += ": " + message;
  return text;
}

std::ostream& operator<<(std::ostream& to, const upgrade_outcome& outcome) {
  return to << outcome.to_string();
}

std::string leak_report::to_string() const {
  if (leaks.empty()) return "no leaks";
  std::string text;
  for (const std::string& leak : leaks) text += (text.empty() ? "" : "\n") + leak;
  return text;
}

std::ostream& operator<<(std::ostream& to, const leak_report& leaks) {
  return to << leaks.to_string();
}

}  // namespace graceful::testing
