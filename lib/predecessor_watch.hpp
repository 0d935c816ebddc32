// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_PREDECESSOR_WATCH_HPP
#define GRACEFUL_LIB_PREDECESSOR_WATCH_HPP

#include <graceful/unique_fd.hpp>

#include "wire/framer.hpp"

#include "log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <string>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// The successor's end of the connection after ready(): waits for the end of its probation, and
/// knows whether the predecessor still drains. Lives on the control thread.
class predecessor_watch {
 public:
  struct outcomes {
    std::function<void()> committed;  ///< This process stays: its predecessor says so, or has gone.
    std::function<void(const std::string& why)> rolled_back;  ///< The predecessor serves again.
  };

  /// Calls one of the outcomes, once.
  predecessor_watch(asio::io_context& control, log& log, pid_t pid, unique_fd connection,
                    outcomes on);

  [[nodiscard]] bool alive() const { return connection_.is_open(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void watch();
  void on_readable();
  void settle(const std::string& message);
  void on_end();

  log& log_;
  pid_t pid_;
  asio::local::stream_protocol::socket connection_;
  wire::framer incoming_;
  outcomes on_;
  bool settled_ = false;
};

}  // namespace graceful

#endif
