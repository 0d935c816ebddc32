// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/farewell.hpp"

#include "os/socket_address.hpp"

#include <array>
#include <cerrno>
#include <chrono>

#include <sys/socket.h>
#include <unistd.h>

namespace graceful {

namespace {

/// How long a client may take to finish sending, and to close.
constexpr std::chrono::seconds time_to_leave{2};

}  // namespace

std::size_t farewell::bid(int listening) {
  const int family = os::socket_address::bound_to(listening).family();
  std::size_t count = 0;
  for (;;) {
    const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (accepted < 0) break;
    ++count;
    ::shutdown(accepted, SHUT_WR);
    boost::system::error_code unwatched;
    const auto at = leaving_.emplace(leaving_.end(), control_);
    if (at->assign({family, 0}, accepted, unwatched)) {
      ::close(accepted);
      leaving_.erase(at);
    } else {
      read(at);
    }
  }
  if (count > 0) {
    timer_.expires_after(time_to_leave);
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) stop();
    });
  }
  return count;
}

void farewell::stop() {
  timer_.cancel();
  // Closed, not destroyed: each handler destroys its own.
  boost::system::error_code ignored;
  for (auto& each : leaving_) each.close(ignored);
}

void farewell::read(std::list<socket>::iterator from) {
  from->async_wait(socket::wait_read, [this, from](boost::system::error_code failed) {
    std::array<char, 16'384> unread{};
    const auto got =
        failed ? 0 : ::recv(from->native_handle(), unread.data(), unread.size(), MSG_DONTWAIT);
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return read(from);
    leaving_.erase(from);
    if (leaving_.empty()) timer_.cancel();
  });
}

}  // namespace graceful
