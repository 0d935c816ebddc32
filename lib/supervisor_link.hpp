// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_SUPERVISOR_LINK_HPP
#define GRACEFUL_LIB_SUPERVISOR_LINK_HPP

#include "varlink_stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace graceful {

/// Holds a connection to the supervisor, whose end tells that it has gone, and waits for the next
/// one. Lives on the control thread.
class supervisor_link {
 public:
  /// `found_again` is called when there is a supervisor after there was none: it may be another,
  /// which knows nothing of this process.
  supervisor_link(asio::io_context& control, std::string path, std::function<void()> found_again);
  ~supervisor_link();

  /// Nothing is done if the path is empty.
  void start();
  void stop();

  /// Asks the supervisor to let go of what it keeps, for which this waits a second at most. True if
  /// nobody holds the sockets now but this process.
  [[nodiscard]] bool release() const;

 private:
  void connect();
  void connect_later();

  asio::io_context& control_;
  const std::string path_;
  const std::function<void()> found_again_;
  asio::steady_timer timer_;
  std::shared_ptr<varlink_stream> stream_;
  bool started_ = false;
  bool lost_ = false;
};

}  // namespace graceful

#endif
