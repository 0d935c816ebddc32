// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace graceful::testing {

/// The pace of clients: waits that stop() ends, including all later ones. Thread-safe.
class pauses {
 public:
  using clock = std::chrono::steady_clock;

  /// False if stop() ended it.
  bool until(clock::time_point when) {
    if (when <= clock::now()) return !stopped();
    std::unique_lock lock{mutex_};
    wake_.wait_until(lock, stop_.get_token(), when, [] { return false; });
    return !stopped();
  }

  void stop() { stop_.request_stop(); }
  [[nodiscard]] bool stopped() const { return stop_.stop_requested(); }

 private:
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace graceful::testing
