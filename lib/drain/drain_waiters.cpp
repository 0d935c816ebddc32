// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain_waiters.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>

#include <set>
#include <utility>
#include <vector>

namespace graceful {

/// The waiters of one context. Outlives the context where a waiter does.
struct drain_waiters::known {
  std::mutex mutex;
  std::set<drain_waiters*> all;
};

/// A service of the context, which calls `shutdown` when it ends.
class drain_waiters::of_context final : public asio::execution_context::service {
 public:
  using key_type = of_context;
  static inline asio::execution_context::id id;

  explicit of_context(asio::execution_context& context) : service{context} {}

  const std::shared_ptr<known> here = std::make_shared<known>();

 private:
  void shutdown() override {
    std::vector<std::shared_ptr<drain_waiters>> left;
    {
      const std::lock_guard lock{here->mutex};
      for (auto* each : here->all) {
        if (auto still = each->weak_from_this().lock()) left.push_back(std::move(still));
      }
    }
    for (const auto& each : left) each->destroy_all();
  }
};

drain_waiters::~drain_waiters() {
  if (!known_) return;
  const std::lock_guard lock{known_->mutex};
  known_->all.erase(this);
}

void drain_waiters::wait(handler h, asio::any_io_executor own) {
  if (own == executor_) own = {};
  if (own) own = asio::prefer(std::move(own), asio::execution::outstanding_work.tracked);
  std::unique_lock lock{mutex_};
  if (result_) {
    const error_code result = *result_;
    lock.unlock();
    return post({std::move(h), std::move(own)}, result);
  }
  if (!known_) {
    auto& context = asio::query(executor_, asio::execution::context);
    known_ = asio::use_service<of_context>(context).here;
    const std::lock_guard others{known_->mutex};
    known_->all.insert(this);
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

void drain_waiters::destroy_all() {
  std::map<std::uint64_t, waiter> left;
  const std::lock_guard lock{mutex_};
  left.swap(waiting_);
}

void drain_waiters::abort(std::uint64_t id) {
  // A node, because any_completion_handler of Boost 1.81 recurses without end when it is assigned.
  std::map<std::uint64_t, waiter>::node_type waiting;
  {
    const std::lock_guard lock{mutex_};
    waiting = waiting_.extract(id);
  }
  if (waiting) post(std::move(waiting.mapped()), asio::error::operation_aborted);
}

void drain_waiters::post(waiter done, error_code result) {
  auto completion = asio::append(std::move(done.h), result);
  // Does not go through the upgrader's context, which may have ended.
  if (done.own_work) return asio::post(done.own_work, std::move(completion));
  asio::post(executor_, std::move(completion));
}

}  // namespace graceful
