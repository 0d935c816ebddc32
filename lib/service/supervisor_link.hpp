// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_SUPERVISOR_LINK_HPP
#define GRACEFUL_SERVICE_SUPERVISOR_LINK_HPP

#include "control/varlink_stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <string>

namespace graceful {

/// Keeps a connection to the supervisor. Its end tells that the supervisor has gone; then this
/// waits for the next one. Lives on the control thread.
class supervisor_link {
 public:
  /// `found_again` is called when there is a supervisor again: it may be another one, which does
  /// not know this process.
  supervisor_link(asio::io_context& control, std::string path, std::function<void()> found_again);
  ~supervisor_link();

  /// Does nothing if the path is empty.
  void start();
  void stop();

  /// True if there has been a supervisor; `connected` tells if there is one now.
  [[nodiscard]] bool met() const { return met_; }
  [[nodiscard]] bool connected() const { return started_ && met_ && !lost_; }

  /// Asks whether this process shall hold its sockets alone from now on, because the supervisor
  /// ends too. The answer is false if none comes within a second. `answer` is called once, unless
  /// `stop` is called first; at once if there is no supervisor. One that executes itself again
  /// meanwhile is asked again.
  void ask_release(std::function<void(bool released)> answer);

 private:
  void on_message(const std::string& text);
  void on_end();
  bool ask();
  void ask_again();
  void answer(bool released);
  boost::system::error_code connect();
  void connect_later();

  asio::io_context& control_;
  const std::string path_;
  const std::function<void()> found_again_;
  asio::steady_timer timer_;
  asio::steady_timer answer_timer_;
  std::function<void(bool)> asked_;
  bool asked_again_ = false;
  std::shared_ptr<varlink_stream> stream_;
  bool started_ = false;
  bool lost_ = false;
  bool met_ = false;
};

}  // namespace graceful

#endif
