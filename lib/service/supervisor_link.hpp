// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "control/varlink_link.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace graceful {

/// Keeps a connection to the supervisor. Its end tells that the supervisor has gone; then this
/// waits for the next one. Lives on the control thread.
class supervisor_link {
 public:
  struct callbacks {
    /// There is a supervisor again. It may be another one, which does not know this process.
    std::function<void()> found_again;
  };

  supervisor_link(asio::io_context& control, std::string path, callbacks on);

  /// Does nothing if the path is empty.
  void start();
  void stop();

  /// True if there has been a supervisor; `connected` tells if there is one now.
  [[nodiscard]] bool met() const { return met_; }
  [[nodiscard]] bool connected() const { return started_ && link_.is_open(); }

  /// Asks whether this process shall hold its sockets alone from now on, because the supervisor
  /// ends too. The answer is false if none comes within a second. `answer` is called once, unless
  /// `stop` is called first; at once if there is no supervisor. One that executes itself again
  /// meanwhile is asked again.
  void ask_release(std::function<void(bool released)> answer);

 private:
  void on_connected();
  void on_lost();
  bool ask();
  void ask_again();
  void answer(bool released);
  result<void> connect();
  void connect_later();

  const std::string path_;
  const callbacks callbacks_;
  asio::steady_timer timer_;
  asio::steady_timer answer_timer_;
  std::function<void(bool)> asked_;
  bool asked_again_ = false;
  bool started_ = false;
  bool lost_ = false;
  bool met_ = false;
  varlink_link link_;
};

}  // namespace graceful
