// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DRAIN_DRAIN_REPORTER_HPP
#define GRACEFUL_DRAIN_DRAIN_REPORTER_HPP

#include "control/control_link.hpp"
#include "wire/handoff_values.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace graceful {

/// Reports the drain of this process to the process that serves the control path. Lives on the
/// control thread.
class drain_reporter {
 public:
  /// `hurry` is called once, if this process is told to cut its connections.
  drain_reporter(asio::io_context& control, std::string path, std::function<void()> hurry);

  /// `now.cut` counts the whole drain. If no process serves the path, nothing is reported.
  void report(wire::report now);

 private:
  void on_reply(const wire::reply& reply);

  std::function<void()> hurry_;
  control_link link_;
  std::uint64_t connection_ = 0;  // of the last report
  std::uint64_t cut_said_ = 0;    // in the last report
  std::uint64_t cut_heard_ = 0;   // in the last one that was answered
  std::uint64_t cut_before_ = 0;  // in reports that were answered on earlier connections
};

}  // namespace graceful

#endif
