// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_FOREIGN_ACCEPTOR_HPP
#define GRACEFUL_LISTEN_FOREIGN_ACCEPTOR_HPP

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

namespace asio = boost::asio;

/// The acceptor that an application owns. Its descriptor is parked on a socket that has no
/// connections, so that the accept loop waits there at its next accept, however busy the real
/// socket is. A loop that waits quietly is left alone until nobody is served any more (`retire`),
/// since what it does of an error only the application knows: some end, some go on at once, some
/// throw.
///
/// What is to become of it is asked for from any thread, and happens on the acceptor's executor,
/// and only while the acceptor still has its descriptor: the application may destroy it meanwhile,
/// on that executor. Then its number is free or means another socket, and the cookie, which is
/// never reused, tells. Where nobody runs that executor, `tend` does what can be done without it.
class foreign_acceptor final : public accepting,
                               public std::enable_shared_from_this<foreign_acceptor> {
 public:
  /// `fd` is the acceptor's own descriptor, a duplicate of that of `socket`.
  foreign_acceptor(asio::any_io_executor executor, int fd,
                   std::shared_ptr<const listening_socket> socket, detail::plain_acceptor object);

  void open() override;
  void pause() override;
  void stop() override;
  void withdraw() override;
  [[nodiscard]] asio::any_io_executor executor() const override { return executor_; }
  [[nodiscard]] os::answer somebody_blocks() const override;
  [[nodiscard]] bool gone() const override;

  /// Why it goes on accepting while this process is paused; empty: it does not.
  [[nodiscard]] const std::string& cannot_pause() const { return cannot_pause_; }

  /// Does what the acceptor's executor has not done within a moment after `stop`, as far as it can
  /// be done elsewhere. On the control thread, or where there is none any more. False if that
  /// moment is not over yet.
  bool tend();

  /// Aborts what waits there now, and soon after that ends the loop as `retire` does.
  void abort();

  /// Ends what waits for a connection. For a loop that is known to wait: nobody has been served for
  /// a while.
  void retire();

  /// As `abort`; returns when it has been done, by the executor or, after a moment, without it.
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
  void end_blocking();
  void retire_when_quiet();

  const asio::any_io_executor executor_;
  const asio::any_io_executor strand_;  // one thing at a time, on however many threads
  const int fd_;
  const detail::plain_acceptor object_;
  const std::optional<os::epoll_entry> entry_;
  std::string cannot_pause_;
  asio::steady_timer timer_;

  mutable std::mutex mutex_;
  std::condition_variable settled_changed_;
  std::uint64_t cookie_;  // of what is behind fd_; 0: nothing of ours any more
  fate fate_ = fate::open;
  bool settled_ = true;  // the executor has done it
  std::chrono::steady_clock::time_point since_;
  std::shared_ptr<const listening_socket> socket_;      // until it is stopped
  std::shared_ptr<const listening_socket> blocked_on_;  // by a thread that accepts, to wake it
  unique_fd place_;                                     // to park on
  bool parked_ = false;
};

}  // namespace graceful

#endif
