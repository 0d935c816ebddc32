// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include "testing/generations.hpp"
#include "testing/timeline.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

/// The events of Monitor, from one process to the next. Its thread ends when the server has ended
/// and `stop()` was called, so end all processes first.
class event_stream {
 public:
  event_stream(std::string control, std::chrono::milliseconds patience, timeline& into,
               generations& known);
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  ~event_stream();

  void stop();

  std::optional<server_event> wait_for(std::string_view event, std::size_t nth, deadline until);

  /// True once Monitor is connected to this process.
  bool wait_watching(pid_t pid, deadline until);

  /// True once it has been connected to it.
  bool wait_watched(pid_t pid, deadline until);

 private:
  void follow();
  void take(const server_event& event);

  const std::string control_;
  const std::chrono::milliseconds patience_;
  timeline& into_;
  generations& known_;
  graceful::unique_fd stop_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<server_event> events_;
  pid_t watching_ = 0;
  std::jthread follower_;
};

}  // namespace graceful::testing
