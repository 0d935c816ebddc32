// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

namespace graceful::testing {

/// What has happened, from several sources, in order of time. Thread-safe.
class timeline {
 public:
  using clock = std::chrono::system_clock;  // the clock of the servers' events

  explicit timeline(clock::time_point begun = clock::now()) : begun_{begun} {}

  /// `who`: "test", "generation 2".
  void add(std::string who, std::string what, clock::time_point when = clock::now());

  [[nodiscard]] std::string to_string() const;

  /// "+   12 ms": since the beginning, as in the lines.
  [[nodiscard]] std::string offset(clock::time_point when) const;

 private:
  struct line {
    clock::time_point when;
    std::string who, what;
  };

  const clock::time_point begun_;
  mutable std::mutex mutex_;
  std::vector<line> lines_;
};

}  // namespace graceful::testing
