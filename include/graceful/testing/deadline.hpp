// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_DEADLINE_HPP
#define GRACEFUL_TESTING_DEADLINE_HPP

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

#include <poll.h>

namespace graceful::testing {

/// The time at which a wait ends. Converts from a duration, so that a test can write
/// `wait_exit(5s)`; several waits can share one.
class deadline {
 public:
  using clock = std::chrono::steady_clock;

  template <class Rep, class Period>
  deadline(std::chrono::duration<Rep, Period> within)  // NOLINT(google-explicit-constructor)
      : end_{clock::now() + std::chrono::duration_cast<clock::duration>(within)} {}

  [[nodiscard]] clock::time_point when() const { return end_; }
  [[nodiscard]] bool passed() const { return clock::now() >= end_; }

  /// The time that is left, for poll(2): capped at its maximum.
  [[nodiscard]] int poll_timeout() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - clock::now());
    constexpr std::chrono::milliseconds::rep limit = std::numeric_limits<int>::max();
    return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, limit));
  }

 private:
  clock::time_point end_;
};

/// Waits until `fd` has something to read, end-of-file included.
inline bool wait_readable(int fd, deadline until) {
  pollfd entry{fd, POLLIN, 0};
  int ready = 0;
  do ready = ::poll(&entry, 1, until.poll_timeout());
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace graceful::testing

#endif
