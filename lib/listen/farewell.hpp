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

/// A graceful close for connections in an accept queue that no process will serve. Closing a
/// listening socket resets its queue, and closing a connection resets it if it has unread bytes
/// (RFC 1122, 4.2.2.13). So each connection is accepted and half-closed; what its client still
/// sends is read and discarded until the client closes too (RFC 9112, 9.6). Lives on the control
/// thread.
class farewell {
 public:
  explicit farewell(asio::io_context& control) : control_{control}, timer_{control} {}

  /// Begins to close all connections in the queue of this non-blocking listening socket. Returns
  /// how many. Those left, for lack of a free descriptor, are reset when the socket is closed.
  std::size_t bid(int listening);

  /// True if all clients have closed, or their time is over.
  [[nodiscard]] bool over() const { return leaving_.empty(); }

  /// Stops waiting for clients.
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
