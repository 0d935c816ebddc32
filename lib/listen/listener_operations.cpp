// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What waits in a `listener`: asynchronous operations, from their beginning to their end, and
// threads that block.
#include "listen/listener.hpp"
#include "os/system_failure.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>

namespace graceful::detail {

namespace {

/// More operations rarely wait at the same time.
constexpr std::size_t most_spare = 16;

}  // namespace

void listener::async_accept(peer_address peer, accept_handler handler) {
  apply([&](operations& done) {
    start(operations_, std::move(handler)).peer = peer;
    begin(done);
  });
}

void listener::async_wait(wait_type what, accept_handler handler) {
  apply([&](operations& done) {
    start(waits_, std::move(handler)).until_readable = what == wait_type::wait_read;
    begin(done);
  });
}

listener::operation& listener::start(operations& in, accept_handler handler) {
  const auto id = next_id_++;
  auto own = asio::get_associated_executor(handler, default_executor_);
  if (spare_.empty()) spare_.emplace_back();
  operation& op = spare_.front();
  op.id = id;
  op.handler.swap(handler);  // A swap, because Boost 1.81 wraps the handler when it is assigned
  op.peer = {};
  op.until_readable = false;
  op.forsaken = false;
  op.work = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
  op.own_work = {};
  if (own != default_executor_) {
    op.own_work = asio::prefer(std::move(own), asio::execution::outstanding_work.tracked);
  }
  auto slot = asio::get_associated_cancellation_slot(op.handler);
  if (slot.is_connected()) {
    // Never cleared: once the operation is done its id means nothing, and the slot belongs to the
    // handler's executor. This function runs there, but a completion need not.
    slot.assign([weak = weak_from_this(), id](asio::cancellation_type type) {
      if (type == asio::cancellation_type::none) return;
      if (const auto self = weak.lock()) self->abort(id);
    });
  }
  in.splice(in.end(), spare_, spare_.begin());  // last, so that an exception leaves nothing begun
  return op;
}

void listener::abort(std::uint64_t id) {
  apply([this, id](operations& done) {
    for (operations* all : {&operations_, &waits_}) {
      const auto op = std::ranges::find(*all, id, &operation::id);
      if (op != all->end()) finish(*all, op, asio::error::operation_aborted, {}, done);
    }
    if (!done.empty()) stop_waiting();
  });
}

void listener::abort_all(operations& done) {
  for (operations* all : {&operations_, &waits_}) {
    while (!all->empty()) finish(*all, all->begin(), asio::error::operation_aborted, {}, done);
  }
  stop_waiting();
}

/// A wait that no operation needs would keep the acceptor's context running for nothing.
void listener::stop_waiting() {
  if (wants()) return;
  for (source& from : sources_) {
    if (!from.waiting || !from.readiness.is_open()) continue;
    error_code ignored;
    from.readiness.cancel(
        ignored);  // if an operation comes before that is delivered, it waits again
  }
}

void listener::finish(operations& from, operations::iterator op, error_code error, accepted got,
                      operations& done) {
  op->error = error;
  op->got = std::move(got);
  done.splice(done.end(), from, op);
}

void listener::finish_readable(error_code error, operations& done) {
  for (auto next = waits_.begin(); next != waits_.end();) {
    const auto op = next++;
    if (op->until_readable) finish(waits_, op, error, {}, done);
  }
}

/// Fails the operations that a connection would have completed.
void listener::fail_all(error_code error, operations& done) {
  while (!operations_.empty()) finish(operations_, operations_.begin(), error, {}, done);
  finish_readable(error, done);
}

/// Begins the operation that was started last. After the end, a loop that goes on after any error
/// would spin, and so keep its process alive. So after many aborts its handler is destroyed
/// uncalled, as when a context ends.
void listener::begin(operations& done) {
  if (state_ == state::open) return serve(done);
  if (state_ != state::stopped) return;
  if (++aborted_ <= most_aborted) return abort_all(done);
  abort_all(done);
  for (operation& op : done) op.forsaken = true;
}

/// Never calls a handler from within the caller: Asio's rule for operations that complete at once.
void listener::post(operations done) {
  if (done.empty()) return;
  const auto self = shared_from_this();  // a handler may destroy the last acceptor, on another
                                         // thread
  for (operation& op : done) {
    poster_.execute([op = std::move(op)]() mutable { run(std::move(op)); });
  }
  recycle(std::move(done));
}

void listener::recycle(operations used) {
  if (used.empty()) return;
  const std::lock_guard lock{mutex_};
  if (spare_.size() < most_spare) spare_.splice(spare_.end(), used);
}

/// Runs on the acceptor's executor. Calls the handler there, or passes it on to its own executor.
void listener::run(operation done) {
  if (done.forsaken) return;
  if (!done.own_work) return done();
  const auto executor = std::move(done.own_work);
  executor.execute(std::move(done));
}

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
