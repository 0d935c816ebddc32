// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_LAST_CALL_HPP
#define GRACEFUL_LISTEN_LAST_CALL_HPP

#include "listen/farewell.hpp"
#include "listen/inventory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>

namespace graceful {

namespace asio = boost::asio;

/// Ends accepting where no process succeeds this one, and resets nobody: no handshake begins any
/// more, those under way end, and the accept loops empty the queues. Where no loop does, the
/// clients get a graceful close. Lives on the control thread.
class last_call {
 public:
  /// `done` is called once; the sockets may be closed then.
  last_call(asio::io_context& control, log& log, inventory& sockets, std::function<void()> done)
      : log_{log},
        inventory_{sockets},
        done_{std::move(done)},
        farewell_{control},
        timer_{control} {}

  void begin();

  /// Stops waiting for the queues.
  void end();

 private:
  void look();
  bool bid_farewell(std::uint64_t waiting);

  log& log_;
  inventory& inventory_;
  std::function<void()> done_;
  std::chrono::steady_clock::time_point earliest_;
  std::uint64_t waiting_ = 0;  // in the queues, when that number last changed
  std::chrono::steady_clock::time_point changed_;
  farewell farewell_;
  asio::steady_timer timer_;
};

}  // namespace graceful

#endif
