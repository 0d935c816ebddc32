// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_FOREIGN_ACCEPTOR_HPP
#define GRACEFUL_LIB_FOREIGN_ACCEPTOR_HPP

#include "inventory.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace graceful {

namespace asio = boost::asio;

/// Ends the accept loop on an acceptor that the application owns. Its descriptor is parked on a
/// socket that has no connections, so that the loop waits at its next accept, however busy the real
/// socket is; there it is cancelled. A loop that is between two accepts does not notice a
/// cancellation, so that is repeated, and the acceptor is closed at last.
class foreign_acceptor final : public accepting,
                               public std::enable_shared_from_this<foreign_acceptor> {
 public:
  /// `stop` cancels the acceptor, and closes it if it is told that this is the last time; called
  /// on `executor`. `fd` is the acceptor's own descriptor.
  foreign_acceptor(asio::io_context& control, asio::any_io_executor executor, int fd,
                   std::function<void(bool last)> stop);

  void open() override {}
  void stop() override;

 private:
  struct parking;

  void next_round();

  asio::any_io_executor executor_;
  std::shared_ptr<parking> acceptor_;
  asio::steady_timer timer_;
  std::chrono::milliseconds pause_{1};
};

}  // namespace graceful

#endif
