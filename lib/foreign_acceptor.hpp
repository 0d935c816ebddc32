// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_FOREIGN_ACCEPTOR_HPP
#define GRACEFUL_LIB_FOREIGN_ACCEPTOR_HPP

#include <graceful/detail/plain_acceptor.hpp>

#include "os/park.hpp"

#include "inventory.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace graceful {

namespace asio = boost::asio;

/// The acceptor that an application owns. Its descriptor is parked on a socket that has no
/// connections, so that the accept loop waits there at its next accept, however busy the real
/// socket is. A loop that waits quietly is left alone until nobody is served any more (`retire`),
/// since what it does of an error only the application knows: some end, some go on at once, some
/// throw.
///
/// All that is done to the descriptor happens on the acceptor's executor, and only while the
/// acceptor still has it: the application may destroy it meanwhile, on that executor. Then its
/// number is free or means another socket, and the cookie, which is never reused, tells. Where
/// nobody runs that executor, `tend` does it, on the control thread.
class foreign_acceptor final : public accepting,
                               public std::enable_shared_from_this<foreign_acceptor> {
 public:
  /// `fd` is the acceptor's own descriptor, a duplicate of that of `socket`.
  foreign_acceptor(asio::any_io_executor executor, int fd,
                   const std::shared_ptr<const listening_socket>& socket,
                   detail::plain_acceptor object);

  void open() override;
  void pause() override;
  void stop() override;
  [[nodiscard]] asio::any_io_executor executor() const override { return executor_; }
  [[nodiscard]] bool somebody_blocks() const override;

  /// Why it goes on accepting while this process is paused; empty: it does not.
  [[nodiscard]] const std::string& cannot_pause() const { return cannot_pause_; }

  [[nodiscard]] bool gone() const override { return !exists(); }

  // After `stop`.

  /// The port that it has listened on.
  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Does what the acceptor's executor has not done within a moment. On the control thread. False
  /// if that moment is not over yet.
  bool tend();

  /// Nobody is served any more: ends what waits for a connection. Does nothing the second time.
  void retire();
  [[nodiscard]] bool retired() const { return retired_; }

 private:
  struct errand {
    std::atomic<bool> taken{false};
    std::function<void()> what;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };

  void post(std::function<void()> what);
  [[nodiscard]] bool exists() const;
  void park();
  void unpark();
  void park_for_blocked();
  void end_loop();

  const asio::any_io_executor executor_;
  const asio::any_io_executor strand_;  // one thing at a time, on however many threads
  const int fd_;
  const std::uint16_t port_;
  const detail::plain_acceptor object_;
  const std::optional<os::epoll_entry> entry_;
  std::string cannot_pause_;
  asio::steady_timer timer_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> retired_{false};
  std::atomic<std::uint64_t> cookie_;  // of what is behind fd_

  std::mutex mutex_;
  std::shared_ptr<const listening_socket> socket_;      // until it is stopped
  std::shared_ptr<const listening_socket> blocked_on_;  // by a thread that accepts, to wake it
  unique_fd place_;                                     // to park on
  bool parked_ = false;
  std::shared_ptr<errand> errand_;  // the last one
};

}  // namespace graceful

#endif
