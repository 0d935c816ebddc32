// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_FOREIGN_ACCEPTOR_HPP
#define GRACEFUL_LIB_FOREIGN_ACCEPTOR_HPP

#include "os/park.hpp"

#include "inventory.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace graceful {

namespace asio = boost::asio;

/// Ends the accept loop on an acceptor that the application owns. Its descriptor is parked on a
/// socket that has no connections, so that the loop waits at its next accept, however busy the real
/// socket is; there it is cancelled. A loop that is between two accepts does not notice a
/// cancellation, so that is repeated, and the acceptor is closed at last.
///
/// Everything happens on the acceptor's executor, which may outlive the upgrader, and only while
/// the acceptor still exists: the application may destroy it meanwhile, on that executor. Then its
/// number is free or means another socket, and the cookie, which is never reused, tells.
class foreign_acceptor final : public accepting,
                               public std::enable_shared_from_this<foreign_acceptor> {
 public:
  /// `stop` cancels the acceptor, and closes it if it is told that this is the last time. `fd` is
  /// the acceptor's own descriptor, a duplicate of that of `socket`.
  foreign_acceptor(const asio::any_io_executor& executor, int fd,
                   std::weak_ptr<const listening_socket> socket,
                   std::function<void(bool last)> stop);

  void open() override;
  void pause() override;
  void stop() override;

 private:
  [[nodiscard]] bool exists() const;
  void park();
  void unpark();
  void round();

  asio::any_io_executor rounds_;  // a strand: one round at a time, on however many threads
  int fd_;
  std::uint64_t cookie_;
  std::weak_ptr<const listening_socket> socket_;
  std::function<void(bool last)> stop_;
  asio::steady_timer timer_;
  std::chrono::milliseconds pause_{1};
  std::optional<os::parking> parked_;
};

}  // namespace graceful

#endif
