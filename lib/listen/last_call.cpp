// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/last_call.hpp"

#include "os/listening_socket.hpp"
#include "os/socket_address.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{5};

}  // namespace

void last_call::begin() {
  for (const auto& refused : inventory_.seal()) {
    log_.warning("a client that connects in the last moment is reset (" + refused +
                 "); to prevent that, give the server CAP_NET_ADMIN");
  }
  earliest_ = clock::now() + settings_.handshake_time;
  changed_ = clock::now();
  look();
}

void last_call::end() {
  timer_.cancel();
  close_leaving();
  if (auto done = std::exchange(callbacks_.done, {})) done();
}

void last_call::look() {
  const auto now = clock::now();
  const auto waiting = inventory_.queued();
  if (now >= earliest_ && waiting == 0 && leaving_.empty()) return end();
  if (waiting != waiting_ || waiting == 0 || inventory_.somebody_waits()) {
    waiting_ = waiting;
    changed_ = now;
  } else if (now >= earliest_ && now - changed_ >= settings_.abandoned_after) {
    if (!bid_farewell(waiting)) return end();
  }
  timer_.expires_after(look_interval);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && callbacks_.done) look();
  });
}

/// Closes gracefully what waits in the queues. Those left, for lack of a free descriptor, are reset
/// when the socket is closed. False if there was nobody to tell.
bool last_call::bid_farewell(std::uint64_t waiting) {
  std::size_t told = 0;
  for (const auto& socket : inventory_.sockets()) told += close_all_in_queue(socket->fd.get());
  log_.warning("the application accepts no more, but " + std::to_string(waiting) +
               (waiting == 1 ? " connection waits" : " connections wait") +
               " in the accept queues: closed without an answer" +
               (told < waiting ? ", " + std::to_string(waiting - told) +
                                     " of them by a reset, since no descriptor is free"
                               : std::string{}));
  if (told == 0) return false;
  leave_timer_.expires_after(settings_.time_to_leave);
  leave_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) close_leaving();
  });
  return true;
}

/// Closing a listening socket resets its queue, and closing a connection resets it if it has unread
/// bytes (RFC 1122, 4.2.2.13). So each connection is accepted and half-closed; what its client
/// still sends is read and discarded until the client closes too (RFC 9112, 9.6).
std::size_t last_call::close_all_in_queue(int listening) {
  const int family = os::socket_address::bound_to(listening).family();
  std::size_t count = 0;
  if (os::accept_queue_of(listening).length == 0) return 0;
  (void)os::make_blocking(listening, false);  // a server may accept by threads that wait
  for (;;) {
    const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (accepted < 0) return count;
    ++count;
    ::shutdown(accepted, SHUT_WR);
    boost::system::error_code unwatched;
    const auto at = leaving_.emplace(leaving_.end(), control_);
    if (at->assign({family, 0}, accepted, unwatched)) {
      ::close(accepted);
      leaving_.erase(at);
    } else {
      await_close(at);
    }
  }
}

void last_call::await_close(std::list<socket>::iterator from) {
  from->async_wait(socket::wait_read, [this, from](boost::system::error_code failed) {
    std::array<char, 16'384> unread{};
    const auto got =
        failed ? 0 : ::recv(from->native_handle(), unread.data(), unread.size(), MSG_DONTWAIT);
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return await_close(from);
    leaving_.erase(from);
    if (leaving_.empty()) leave_timer_.cancel();
  });
}

void last_call::close_leaving() {
  leave_timer_.cancel();
  // Closed, not destroyed: each handler destroys its own.
  boost::system::error_code ignored;
  for (auto& each : leaving_) each.close(ignored);
}

}  // namespace graceful
