// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain_waiters.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <utility>

namespace graceful {

void drain_waiters::wait(handler h, asio::any_io_executor own) {
  if (own == executor_) own = {};
  if (own) own = asio::prefer(std::move(own), asio::execution::outstanding_work.tracked);
  std::unique_lock lock{mutex_};
  if (result_) {
    const error_code result = *result_;
    lock.unlock();
    return post({std::move(h), std::move(own)}, result);
  }
  const auto id = next_id_++;
  auto slot = asio::get_associated_cancellation_slot(h);
  if (slot.is_connected()) {
    slot.assign([weak = weak_from_this(), id](asio::cancellation_type type) {
      if (type == asio::cancellation_type::none) return;
      if (const auto self = weak.lock()) self->abort(id);
    });
  }
  waiting_.emplace(id, waiter{std::move(h), std::move(own)});
}

void drain_waiters::complete(error_code result) {
  std::map<std::uint64_t, waiter> done;
  {
    const std::lock_guard lock{mutex_};
    if (!result_) result_ = result;
    done.swap(waiting_);
  }
  for (auto& [id, each] : done) post(std::move(each), result);
}

void drain_waiters::abort(std::uint64_t id) {
  // As a node: any_completion_handler of Boost 1.81 recurses without end when it is assigned.
  std::map<std::uint64_t, waiter>::node_type waiting;
  {
    const std::lock_guard lock{mutex_};
    waiting = waiting_.extract(id);
  }
  if (waiting) post(std::move(waiting.mapped()), asio::error::operation_aborted);
}

void drain_waiters::post(waiter done, error_code result) {
  auto completion = asio::append(std::move(done.h), result);
  // Not by way of the upgrader's context, which may have ended.
  if (done.own_work) return asio::post(done.own_work, std::move(completion));
  asio::post(executor_, std::move(completion));
}

}  // namespace graceful
