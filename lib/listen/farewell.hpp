// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_FAREWELL_HPP
#define GRACEFUL_LISTEN_FAREWELL_HPP

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <list>

namespace graceful {

namespace asio = boost::asio;

/// Ends in order what waits in an accept queue and will be served by nobody. Closing a listening
/// socket resets its queue, and closing a connection resets it if it has bytes that were not read
/// (RFC 1122, 4.2.2.13). So each is accepted and half-closed, and what its client still says is
/// read and discarded, until the client ends too (RFC 9112, 9.6). Lives on the control thread.
class farewell {
 public:
  explicit farewell(asio::io_context& control) : control_{control}, timer_{control} {}

  /// Says it to all clients in the queue of this non-blocking listening socket. Returns how many
  /// they are; those left (no descriptor is free) are reset when the socket is closed.
  std::size_t bid(int listening);

  /// All clients have ended, or have had the time to.
  [[nodiscard]] bool over() const { return leaving_.empty(); }

  /// Waits for no client any more.
  void stop();

 private:
  using socket = asio::generic::stream_protocol::socket;

  void read(std::list<socket>::iterator from);

  asio::io_context& control_;
  std::list<socket> leaving_;
  asio::steady_timer timer_;
};

}  // namespace graceful

#endif
