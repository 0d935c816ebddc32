// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include "os/child.hpp"
#include "os/log.hpp"
#include "os/service_manager.hpp"
#include "os/start_command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// The process that this one has spawned to succeed it. Reaps it whenever it ends. Lives on the
/// control thread.
class spawned_successor {
 public:
  struct callbacks {
    /// The process has ended; `how` continues a sentence that begins with "the successor".
    std::function<void(const std::string& how, pid_t pid)> ended;
  };

  spawned_successor(asio::io_context& control, log& log, callbacks on);

  /// The process gets `channel` as descriptor `channel_number`; -1: none.
  result<void> spawn(const os::start_command& command, os::placement where, int channel);
  static constexpr int channel_number = os::first_passed;

  /// None if no process was spawned, or it has been reaped.
  [[nodiscard]] std::optional<pid_t> pid() const {
    return child_ ? std::optional{child_->pid()} : std::nullopt;
  }

  /// Kills the process. That may fail, if it runs as another user by now, or sleeps in the kernel.
  /// After three seconds it then counts as ended, and is left alone.
  void kill();

  /// Waits for the end of a killed process, for a second at most, without a report.
  void wait();

  /// The process drains, and only the log wants to know its end. It is killed if it has not ended
  /// in that time: it then hangs, and holds every socket.
  void retire(std::chrono::milliseconds time_to_end);

 private:
  void watch();
  void leave_alone();
  void watch_retired();

  log& log_;
  const callbacks callbacks_;
  std::optional<os::child> child_;
  asio::posix::stream_descriptor watched_;  // a duplicate of its pidfd
  struct retired {
    os::child process;
    std::chrono::steady_clock::time_point deadline;
    const char* why = "was rolled back";
    bool killed = false;
  };
  std::vector<retired> retired_;
  asio::steady_timer retired_timer_;
  asio::steady_timer killed_timer_;
  bool killed_ = false;  // the process that is not retired
};

}  // namespace graceful
