// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_PREDECESSOR_WATCH_HPP
#define GRACEFUL_LIB_PREDECESSOR_WATCH_HPP

#include <graceful/unique_fd.hpp>

#include "log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// Knows whether the predecessor still drains: its connection ends when it does. Lives on the
/// control thread.
class predecessor_watch {
 public:
  predecessor_watch(asio::io_context& control, log& log, pid_t pid, unique_fd connection);

  [[nodiscard]] bool alive() const { return connection_.is_open(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void watch();

  log& log_;
  pid_t pid_;
  asio::local::stream_protocol::socket connection_;
};

}  // namespace graceful

#endif
