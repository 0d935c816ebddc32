// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What of `listener` blocks: a thread that waits for a connection, or until one could be accepted.
#include "os/listening_socket.hpp"
#include "os/system_failure.hpp"

#include "listener.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>

namespace graceful::detail {

accepted listener::accept(peer_address peer, error_code& ec) { return block(true, true, peer, ec); }

void listener::wait(wait_type what, error_code& ec) {
  (void)block(false, what == wait_type::wait_read, {}, ec);
}

/// What there is now, in whichever of the sockets.
listener::looked listener::look(bool take, peer_address peer, accepted& got, error_code& error) {
  for (source& from : sources_) {
    if (!from.socket) continue;
    if (!take) {
      if (os::accept_queue_of(from.socket->fd.get()).length > 0) return looked::got;
      continue;
    }
    const auto seen = accept_now(from, peer, got, error);
    if (seen != looked::nothing) return seen;
  }
  return looked::nothing;
}

/// Waits in poll(2), without the mutex: on the sockets while this process accepts from them, and on
/// an eventfd, by which whatever changes that is told. The sockets that it polls stay open.
accepted listener::block(bool take, bool until_readable, peer_address peer, error_code& ec) {
  accepted got;
  blocked self{.wake = unique_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}};
  ec = self.wake ? error_code{} : os::system_code();
  if (ec) return got;
  std::unique_lock lock{mutex_};
  const auto place = blocked_.insert(blocked_.end(), &self);
  for (;;) {
    if (state_ == state::stopped || self.cancelled) {
      ec = asio::error::operation_aborted;
      break;
    }
    const bool open = until_readable && state_ == state::open;
    if (open && look(take, peer, got, ec) != looked::nothing) break;
    if (take && non_blocking_) {
      ec = asio::error::would_block;
      break;
    }
    std::vector<std::shared_ptr<const listening_socket>> held;
    std::vector<pollfd> entries{{.fd = self.wake.get(), .events = POLLIN, .revents = 0}};
    for (const source& from : sources_) {
      if (!open || !from.socket) continue;
      held.push_back(from.socket);
      entries.push_back({.fd = from.socket->fd.get(), .events = POLLIN, .revents = 0});
    }
    lock.unlock();
    (void)::poll(entries.data(), entries.size(), -1);  // a signal: it looks again
    eventfd_t ignored{};
    (void)::eventfd_read(self.wake.get(), &ignored);
    held.clear();
    lock.lock();
  }
  blocked_.erase(place);
  return got;
}

void listener::wake_blocked(bool cancel) {
  for (blocked* each : blocked_) {
    each->cancelled = each->cancelled || cancel;
    (void)::eventfd_write(each->wake.get(), 1);
  }
}

}  // namespace graceful::detail
