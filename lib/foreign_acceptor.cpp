// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "foreign_acceptor.hpp"

#include <graceful/detail/asio_abi.hpp>

#include "os/listening_socket.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

#include <sys/socket.h>

namespace graceful {

namespace {

/// The last pause between two rounds, which ends about a second after the first.
constexpr std::chrono::milliseconds longest_pause{512};

/// Before another try to put an acceptor back.
constexpr std::chrono::milliseconds retry_pause{100};

/// Asio waits for acceptors in epoll. Elsewhere (io_uring, select) what waits already holds the
/// real socket, and would not notice that it is back.
constexpr bool acceptors_in_epoll = detail::asio_epoll && !detail::asio_io_uring_default;

}  // namespace

foreign_acceptor::foreign_acceptor(const asio::any_io_executor& executor, int fd,
                                   std::weak_ptr<const listening_socket> socket,
                                   std::function<void(bool)> stop)
    : rounds_{asio::make_strand(executor)},
      fd_{fd},
      cookie_{os::cookie_of(fd)},
      socket_{std::move(socket)},
      stop_{std::move(stop)},
      timer_{rounds_} {}

void foreign_acceptor::open() {
  asio::post(rounds_, [self = shared_from_this()] { self->unpark(); });
}

void foreign_acceptor::pause() {
  // Another reactor's goes on accepting: for a while both do.
  if (!acceptors_in_epoll) return;
  asio::post(rounds_, [self = shared_from_this()] { self->park(); });
}

void foreign_acceptor::stop() {
  asio::post(rounds_, [self = shared_from_this()] { self->round(); });
}

bool foreign_acceptor::exists() const { return cookie_ != 0 && os::cookie_of(fd_) == cookie_; }

/// Where there is no place to park (no descriptor left), it goes on accepting in probation, and in
/// the end cancellations alone have to do.
void foreign_acceptor::park() {
  if (parked_ || !exists()) return;
  if (auto place = os::park(fd_, acceptors_in_epoll)) {
    cookie_ = place->cookie;
    parked_ = std::move(*place);
  }
}

void foreign_acceptor::unpark() {
  const auto socket = socket_.lock();
  if (!parked_ || !socket || !exists()) return;
  const auto back = os::unpark(fd_, *parked_, socket->fd.get());
  cookie_ = os::cookie_of(fd_);
  if (back) return parked_.reset();
  // No memory, say. Who accepts waits, and clients with it: until it works.
  timer_.expires_after(retry_pause);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->unpark();
  });
}

void foreign_acceptor::round() {
  if (!exists()) return;
  park();
  const bool last = pause_ > longest_pause;
  // close() would race with an accept on another thread; this does not touch the object. What is
  // accepted from then on fails: listen(2) is undone.
  if (last && parked_) ::shutdown(fd_, SHUT_RDWR);
  stop_(last && !parked_);
  if (last) return;
  timer_.expires_after(std::exchange(pause_, pause_ * 2));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->round();
  });
}

}  // namespace graceful
