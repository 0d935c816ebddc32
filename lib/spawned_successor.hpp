// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_SPAWNED_SUCCESSOR_HPP
#define GRACEFUL_LIB_SPAWNED_SUCCESSOR_HPP

#include <graceful/error.hpp>

#include "os/child.hpp"
#include "os/start_command.hpp"

#include "log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// The process that this one has spawned to succeed it. Reaps it, whenever it ends. Lives on the
/// control thread.
class spawned_successor {
 public:
  /// `ended` is called when it has, with its pid; `how` reads on from "the successor".
  using ended = std::function<void(const std::string& how, pid_t pid)>;

  spawned_successor(asio::io_context& control, log& log, ended on_end);

  result<void> spawn(const os::start_command& command, os::placement where);

  /// None if there is none, or it has been reaped.
  [[nodiscard]] std::optional<pid_t> pid() const;

  void kill();

  /// Waits for the end of one that was killed, and says nothing of it.
  void wait();

  /// It ends some day, and only the log wants to know.
  void retire();

 private:
  void watch();
  void watch_retired();

  log& log_;
  const ended on_end_;
  std::optional<os::child> child_;
  asio::posix::stream_descriptor watched_;  // a duplicate of its pidfd
  std::vector<os::child> retired_;
  asio::steady_timer retired_timer_;
};

}  // namespace graceful

#endif
