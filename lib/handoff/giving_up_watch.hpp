// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_HANDOFF_GIVING_UP_WATCH_HPP
#define GRACEFUL_HANDOFF_GIVING_UP_WATCH_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace graceful {

namespace asio = boost::asio;

/// Watches, for a successor that is not ready yet, whether its predecessor gives the upgrade up.
/// Knows when to look; its callback knows what to look at. Its handlers run on the control thread.
class giving_up_watch {
 public:
  enum class seen {
    nothing,  ///< Keep waiting.
    busy,     ///< No look is possible now; try again in a while.
    enough    ///< There is nothing left to wait for.
  };

  struct callbacks {
    std::function<seen()> look;
  };

  giving_up_watch(asio::io_context& control, callbacks on);

  /// Calls `look` whenever something has arrived on the connection, and sometimes for no reason.
  /// Borrows `connection` for the time of the call. Throws `boost::system::system_error`.
  void start(int connection);

  void stop();

 private:
  void await();

  asio::posix::stream_descriptor connection_;
  asio::steady_timer look_again_;
  const callbacks callbacks_;
};

}  // namespace graceful

#endif
