// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What of `listener` blocks: a thread that waits for a connection, or until one could be accepted.
#include "listen/listener.hpp"
#include "os/system_failure.hpp"

#include <boost/asio/error.hpp>

#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>

namespace graceful::detail {

accepted listener::accept(peer_address peer, error_code& ec) { return block(true, true, peer, ec); }

void listener::wait(wait_type what, error_code& ec) {
  (void)block(false, what == wait_type::wait_read, {}, ec);
}

/// Takes what is there now, from the sockets in turn, as for the operations.
listener::looked listener::look(bool take, peer_address peer, accepted& got, error_code& error) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    source& from = *turn_;
    if (++turn_ == sources_.end()) turn_ = sources_.begin();
    if (!from.socket) continue;
    if (!take) {
      pollfd entry{.fd = from.socket->fd.get(), .events = POLLIN, .revents = 0};
      if (::poll(&entry, 1, 0) > 0) return looked::got;
      continue;
    }
    // A thread that blocks gets a blocking socket, as with Asio.
    const auto seen = accept_now(from, peer, 0, got, error);
    if (seen != looked::nothing) return seen;
  }
  return looked::nothing;
}

/// Waits in poll(2), without the mutex: on the sockets while this process accepts from them, and on
/// an eventfd, which signals every change of that. The polled sockets stay open.
accepted listener::block(bool take, bool until_readable, peer_address peer, error_code& ec) {
  accepted got;
  blocked self{.wake = unique_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}};
  ec = self.wake ? error_code{} : os::system_code();
  if (ec) return got;
  std::unique_lock lock{mutex_};
  blocked_.push_back(&self);
  // However the thread leaves: by an exception, or by pthread_cancel(3), for which poll(2) is a
  // cancellation point.
  const auto leave = [this, &lock](blocked* who) {
    if (!lock.owns_lock()) lock.lock();
    std::erase(blocked_, who);
  };
  const std::unique_ptr<blocked, decltype(leave)> at_last{&self, leave};
  for (;;) {
    // A loop that goes on after any error must not spin: after so many aborts it waits.
    const bool told_often = state_ == state::stopped && aborted_ >= most_aborted;
    if (self.cancelled || (state_ == state::stopped && !told_often)) {
      if (state_ == state::stopped) ++aborted_;
      ec = asio::error::operation_aborted;
      break;
    }
    const bool open = until_readable && state_ == state::open;
    if (open && look(take, peer, got, ec) != looked::nothing) break;
    if (take && non_blocking_ && !told_often) {
      ec = asio::error::would_block;
      break;
    }
    std::vector<shared_socket> held;
    std::vector<pollfd> entries{{.fd = self.wake.get(), .events = POLLIN, .revents = 0}};
    for (const source& from : sources_) {
      if (!open || !from.socket) continue;
      held.push_back(from.socket);
      entries.push_back({.fd = from.socket->fd.get(), .events = POLLIN, .revents = 0});
    }
    lock.unlock();
    const bool polled = ::poll(entries.data(), entries.size(), -1) >= 0 || errno == EINTR;
    if (!polled) ec = os::system_code();
    eventfd_t ignored{};
    (void)::eventfd_read(self.wake.get(), &ignored);
    held.clear();
    lock.lock();
    if (!polled) break;
  }
  return got;
}

void listener::wake_blocked(bool cancel) {
  for (blocked* each : blocked_) {
    each->cancelled = each->cancelled || cancel;
    (void)::eventfd_write(each->wake.get(), 1);
  }
}

}  // namespace graceful::detail
