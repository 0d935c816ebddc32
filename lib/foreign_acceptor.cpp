// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "foreign_acceptor.hpp"

#include "os/listening_socket.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace graceful {

namespace {

/// The last pause between two rounds, which ends about a second after the first.
constexpr std::chrono::milliseconds longest_pause{512};

}  // namespace

foreign_acceptor::foreign_acceptor(asio::io_context& control, asio::any_io_executor executor,
                                   int fd, std::function<void(bool)> stop)
    : executor_{std::move(executor)},
      stop_{[fd, cookie = os::cookie_of(fd), stop = std::move(stop)](bool last) {
        // The application may have destroyed its acceptor meanwhile, on this executor. Then the
        // number is free or means another socket, and the cookie, which is never reused, tells.
        if (os::cookie_of(fd) == cookie) stop(last);
      }},
      timer_{control} {}

void foreign_acceptor::stop() {
  // The timer belongs to the control thread.
  asio::post(timer_.get_executor(), [self = shared_from_this()] { self->next_round(); });
}

void foreign_acceptor::next_round() {
  const bool last = pause_ > longest_pause;
  // Not with a reference to this object: the application's context may outlive the timer's.
  asio::post(executor_, [stop = stop_, last] { stop(last); });
  if (last) return;
  timer_.expires_after(pause_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->next_round();
  });
  pause_ *= 2;
}

}  // namespace graceful
