// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "foreign_acceptor.hpp"

#include "os/listening_socket.hpp"
#include "os/park.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <utility>

namespace graceful {

namespace {

/// The last pause between two rounds, which ends about a second after the first.
constexpr std::chrono::milliseconds longest_pause{512};

}  // namespace

foreign_acceptor::foreign_acceptor(const asio::any_io_executor& executor, int fd,
                                   std::function<void(bool)> stop)
    : rounds_{asio::make_strand(executor)},
      fd_{fd},
      cookie_{os::cookie_of(fd)},
      stop_{std::move(stop)},
      timer_{rounds_} {}

void foreign_acceptor::stop() {
  asio::post(rounds_, [self = shared_from_this()] { self->round(); });
}

void foreign_acceptor::round() {
  if (cookie_ == 0 || os::cookie_of(fd_) != cookie_) return;
  // Where there is no place to park (no descriptor left, another reactor than epoll), cancellations
  // alone have to do.
  if (!parked_) {
    if (const auto place = os::park(fd_)) {
      cookie_ = *place;
      parked_ = true;
    }
  }
  const bool last = pause_ > longest_pause;
  stop_(last);
  if (last) return;
  timer_.expires_after(std::exchange(pause_, pause_ * 2));
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->round();
  });
}

}  // namespace graceful
