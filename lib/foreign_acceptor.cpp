// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "foreign_acceptor.hpp"

#include "os/listening_socket.hpp"
#include "os/park.hpp"

#include <boost/asio/post.hpp>

#include <cstdint>
#include <utility>

namespace graceful {

namespace {

/// The last pause between two rounds, which ends about a second after the first.
constexpr std::chrono::milliseconds longest_pause{512};

}  // namespace

/// The application's acceptor. Touched on its executor only, and only while it still exists: the
/// application may destroy it meanwhile, on this executor. Then its number is free or means another
/// socket, and the cookie, which is never reused, tells.
struct foreign_acceptor::parking {
  int fd;
  std::uint64_t cookie;
  std::function<void(bool)> stop;
  bool parked = false;

  void round(bool last) {
    if (os::cookie_of(fd) != cookie) return;
    if (!parked) {
      // Without a place to park, cancellations alone have to do.
      if (const auto place = os::park(fd)) cookie = *place;
      parked = true;
    }
    stop(last);
  }
};

foreign_acceptor::foreign_acceptor(asio::io_context& control, asio::any_io_executor executor,
                                   int fd, std::function<void(bool)> stop)
    : executor_{std::move(executor)},
      acceptor_{std::make_shared<parking>(parking{fd, os::cookie_of(fd), std::move(stop)})},
      timer_{control} {}

void foreign_acceptor::stop() {
  // The timer belongs to the control thread.
  asio::post(timer_.get_executor(), [self = shared_from_this()] { self->next_round(); });
}

void foreign_acceptor::next_round() {
  const bool last = pause_ > longest_pause;
  // Not with a reference to this object: the application's context may outlive the timer's.
  asio::post(executor_, [acceptor = acceptor_, last] { acceptor->round(last); });
  if (last) return;
  timer_.expires_after(pause_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->next_round();
  });
  pause_ *= 2;
}

}  // namespace graceful
