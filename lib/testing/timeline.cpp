// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/timeline.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace graceful::testing {
namespace {

std::string padded(std::string text, std::size_t width, bool right) {
  if (text.size() >= width) return text;
  return right ? std::string(width - text.size(), ' ') + text
               : text + std::string(width - text.size(), ' ');
}

}  // namespace

void timeline::add(std::string who, std::string what, clock::time_point when) {
  const std::lock_guard lock{mutex_};
  lines_.push_back({when, std::move(who), std::move(what)});
}

std::string timeline::offset(clock::time_point when) const {
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(when - begun_);
  return "+" + padded(std::to_string(std::max<std::int64_t>(after.count(), 0)), 6, true) + " ms";
}

std::string timeline::to_string() const {
  std::vector<line> sorted;
  {
    const std::lock_guard lock{mutex_};
    sorted = lines_;
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const line& a, const line& b) { return a.when < b.when; });
  std::size_t width = 0;
  for (const line& each : sorted) width = std::max(width, each.who.size());
  std::string text;
  for (const line& each : sorted) {
    text += offset(each.when) + "  " + padded(each.who, width, false) + "  " + each.what + '\n';
  }
  return text;
}

}  // namespace graceful::testing
