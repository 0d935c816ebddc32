// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_HANDOFF_GIVING_UP_WATCH_HPP
#define GRACEFUL_HANDOFF_GIVING_UP_WATCH_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace graceful {

namespace asio = boost::asio;

/// A successor that is not ready yet waits for its predecessor to give the upgrade up. Knows when
/// to look, not what is seen. Its handlers run on the control thread.
class giving_up_watch {
 public:
  enum class seen {
    nothing,  ///< Wait on.
    busy,     ///< Nobody can look now; ask again in a while.
    enough    ///< There is nothing more to wait for.
  };

  giving_up_watch(asio::io_context& control, std::function<seen()> look);

  /// Has `look` called whenever something has come on the connection, or for nothing. Borrows
  /// `connection`, for the time of the call. Throws `boost::system::system_error`.
  void start(int connection);

  void stop();

 private:
  void await();

  asio::posix::stream_descriptor connection_;
  asio::steady_timer look_again_;
  const std::function<seen()> look_;
};

}  // namespace graceful

#endif
