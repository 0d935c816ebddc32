// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/detail/plain_acceptor.hpp>

#include "listen/inventory.hpp"
#include "os/park.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace graceful {

/// The plain acceptor, which the application owns. Stopping parks its descriptor on a socket that
/// gets no connections, so that the accept loop waits there at its next accept, however busy the
/// real socket is. A loop that waits quietly is left alone until no connection is served any more
/// (`retire`). Only the application knows what it does after an error: some loops end, some go on
/// at once, some throw.
///
/// Any thread may request a change. It happens on the acceptor's executor, and only while the
/// acceptor still has its descriptor: the application may destroy it meanwhile, on that executor.
/// Its number is then free or means another socket, which the cookie tells, as cookies are never
/// reused. If no thread runs that executor, `tend` does what is possible without it.
class foreign_acceptor final : public accepting,
                               public std::enable_shared_from_this<foreign_acceptor> {
 public:
  /// `fd` is the acceptor's own descriptor, a duplicate of that of `socket`.
  foreign_acceptor(asio::any_io_executor executor, int fd, shared_socket socket,
                   detail::plain_acceptor object);

  void open() override { want(fate::open); }
  void pause() override;
  void stop() override { want(fate::stopped); }
  /// Aborts the operations that wait there now, and soon after that ends the loop as `retire` does.
  void withdraw() override { want(fate::aborted); }
  [[nodiscard]] asio::any_io_executor executor() const override { return executor_; }
  [[nodiscard]] os::answer somebody_blocks() const override;
  [[nodiscard]] bool gone() const override;

  /// Why the acceptor keeps accepting while this process is paused; empty: it does not.
  [[nodiscard]] const std::string& cannot_pause() const { return cannot_pause_; }

  /// If the acceptor's executor has not reacted within a moment after `stop`, does what can be done
  /// elsewhere. Called on the control thread, or on any thread when that has ended. False if the
  /// moment is not over yet.
  bool tend();

  /// Ends the wait for a connection. Only for a loop that is known to wait: no connection has been
  /// served for a while.
  void retire() { want(fate::retired); }

  /// Does the same as `withdraw`, and returns when it is done, by the executor or, after a moment,
  /// without it.
  void abandon();

 private:
  /// From `stopped` on there is no way back.
  enum class fate { open, paused, stopped, aborted, retired };

  void want(fate what);
  void apply();
  void by_force();
  [[nodiscard]] bool exists() const;
  void park();
  void unpark();

  const asio::any_io_executor executor_;
  const asio::any_io_executor strand_;  // one change at a time, on however many threads
  const int fd_;
  const detail::plain_acceptor object_;
  const std::optional<os::epoll_entry> entry_;
  std::string cannot_pause_;
  asio::steady_timer timer_;

  mutable std::mutex mutex_;
  std::condition_variable settled_changed_;
  std::uint64_t cookie_;  // of the socket behind fd_; 0: it is not ours any more
  fate fate_ = fate::open;
  bool settled_ = true;  // the executor has done it
  std::chrono::steady_clock::time_point since_;
  shared_socket socket_;      // until it is stopped
  shared_socket blocked_on_;  // set while a thread waits on it, to wake
                              // that thread
  unique_fd place_;           // a socket to park on
  bool parked_ = false;
  bool refuses_ = false;  // accept() fails at once: abandoned before the executor came to it
};

}  // namespace graceful
