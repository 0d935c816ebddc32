// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "listen/inventory.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>

namespace graceful {

/// Ends accepting where no process succeeds this one, and resets nobody: no handshake begins any
/// more, those under way end, and the accept loops empty the queues. Where no loop does, the
/// clients get a graceful close. Lives on the control thread.
class last_call {
 public:
  struct callbacks {
    std::function<void()> done;  ///< Called once; the sockets may be closed then.
  };

  struct settings {
    /// How long a handshake may take that began before the sockets were sealed. The kernel does not
    /// tell whether there is one, so this is about a round trip around the world.
    std::chrono::milliseconds handshake_time{300};
    /// How long a queue may stay unchanged before it counts as abandoned: the loop has ended, or
    /// the application has closed its acceptor.
    std::chrono::milliseconds abandoned_after{3'000};
    /// How long a client may take to finish sending, and to close.
    std::chrono::milliseconds time_to_leave{2'000};
  };

  last_call(asio::io_context& control, log& log, inventory& sockets, callbacks on, settings s)
      : control_{control},
        log_{log},
        inventory_{sockets},
        callbacks_{std::move(on)},
        settings_{s},
        timer_{control},
        leave_timer_{control} {}

  void begin();

  /// Stops waiting, for the queues and for clients.
  void end();

 private:
  using socket = asio::generic::stream_protocol::socket;

  void look();
  bool bid_farewell(std::uint64_t waiting);
  std::size_t close_all_in_queue(int listening);
  void await_close(std::list<socket>::iterator from);
  void close_leaving();

  asio::io_context& control_;
  log& log_;
  inventory& inventory_;
  callbacks callbacks_;
  const settings settings_;
  asio::steady_timer timer_;
  std::chrono::steady_clock::time_point earliest_;
  std::uint64_t waiting_ = 0;  // in the queues, when that number last changed
  std::chrono::steady_clock::time_point changed_;
  std::list<socket> leaving_;  // half-closed; their clients have not closed yet
  asio::steady_timer leave_timer_;
};

}  // namespace graceful
