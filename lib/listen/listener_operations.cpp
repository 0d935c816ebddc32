// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What of `listener` is about the operations that wait: how they begin, and how they end.
#include "listen/listener.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>

#include <algorithm>

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

}  // namespace graceful::detail
