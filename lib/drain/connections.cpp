// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/connections.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

}  // namespace

/// The end of the grace of a connection that is tracked late is noticed within a second, see
/// `drain`.
connection connections::track(asio::any_io_executor executor, connection::stage_handler on_stage) {
  const boost::intrusive_ptr added{
      new tracked_connection{*this, std::move(executor), std::move(on_stage)}};
  std::optional<drain_stage> at_once;
  {
    const std::lock_guard lock{mutex_};
    added->id_ = next_id_++;
    if (plan_.over()) {
      at_once = drain_stage::deadline;
      ++cut_;
    } else if (plan_.begun()) {
      at_once = drain_stage::draining;
      plan_.add(clock::now(), added->id());
      planned_.emplace(added->id(), added.get());
    }
    // Nothing below throws.
    if (open_.empty()) self_ = shared_from_this();
    open_.push_back(*added);
  }
  intrusive_ptr_add_ref(added.get());  // for the connection
  connection made{added.get()};
  if (at_once) added->tell(*at_once);
  return made;
}

void connections::begin(time now) {
  const std::lock_guard lock{mutex_};
  draining_ = true;
  std::vector<handoff::connection_id> ids;
  ids.reserve(open_.size());
  for (auto& connection : open_) {
    ids.push_back(connection.id());
    planned_.emplace(connection.id(), &connection);
  }
  plan_.begin(now, ids);
}

void connections::hurry(time now) {
  const std::lock_guard lock{mutex_};
  plan_.hurry(now);
}

std::optional<connections::time> connections::advance(time now) {
  std::vector<std::pair<boost::intrusive_ptr<tracked_connection>, drain_stage>> told;
  std::optional<time> next;
  {
    const std::lock_guard lock{mutex_};
    const bool was_over = plan_.over();
    for (const auto& due : plan_.take(now)) {
      const auto found = planned_.find(due.connection);
      if (found == planned_.end()) continue;
      told.emplace_back(found->second, due.what == handoff::drain_plan::due::kind::draining
                                           ? drain_stage::draining
                                           : drain_stage::idle_grace_over);
    }
    if (plan_.over() && !was_over) {
      for (auto& connection : open_) {
        told.emplace_back(&connection, drain_stage::deadline);
      }
      cut_ += open_.size();
    }
    next = plan_.next();
  }
  for (const auto& [connection, stage] : told) connection->tell(stage);
  return next;
}

std::size_t connections::open() const {
  const std::lock_guard lock{mutex_};
  return open_.size();
}

void connections::remove(tracked_connection& gone) {
  std::shared_ptr<connections> last;  // destroyed after the lock is released
  const std::lock_guard lock{mutex_};
  open_.erase(open_.iterator_to(gone));
  if (plan_.begun()) planned_.erase(gone.id());
  if (open_.empty()) last = std::move(self_);
}

tracked_connection::tracked_connection(connections& all, asio::any_io_executor executor,
                                       connection::stage_handler on_stage)
    : all_{all}, executor_{std::move(executor)}, on_stage_{std::move(on_stage)} {}

void tracked_connection::tell(drain_stage stage) {
  asio::post(executor_, [self = boost::intrusive_ptr{this}, stage] { self->on_stage(stage); });
}

void tracked_connection::on_stage(drain_stage stage) {
  if (ended_) return;  // its connection has ended meanwhile
  if (stage == drain_stage::idle_grace_over) {
    grace_over_ = true;
    if (!idle_) return;
  }
  told_ = std::max(told_.value_or(stage), stage);
  for (std::size_t reached = 0; waiters_ && reached <= static_cast<std::size_t>(*told_);
       ++reached) {
    if (const auto& waiters = (*waiters_)[reached]) waiters->complete({});
  }
  // Moved out: the handler may destroy the connection, and itself with it.
  auto handler = std::exchange(on_stage_, nullptr);
  if (!handler) return;
  try {
    handler(stage);
  } catch (...) {
    if (!ended_) on_stage_ = std::move(handler);
    throw;
  }
  if (!ended_) on_stage_ = std::move(handler);
}

void tracked_connection::wait(drain_stage stage, drain_waiters::handler handler,
                              asio::any_io_executor own) {
  if (!waiters_) waiters_ = std::make_unique<waiters_by_stage>();
  auto& waiters = (*waiters_)[static_cast<std::size_t>(stage)];
  if (!waiters) {
    waiters = std::make_shared<drain_waiters>(executor_);
    if (told_ && *told_ >= stage) waiters->complete({});
  }
  waiters->wait(std::move(handler), std::move(own));
}

void tracked_connection::idle(bool is_idle) {
  const bool became_idle = is_idle && !std::exchange(idle_, is_idle);
  idle_ = is_idle;
  if (became_idle && grace_over_) tell(drain_stage::idle_grace_over);
}

bool tracked_connection::draining() const { return all_.draining(); }

void tracked_connection::end() {
  // A child of fork(2) must leave the parent's connection alone. The parent may have held the
  // mutex.
  if (!home_.is_this()) return;
  ended_ = true;
  all_.remove(*this);
  on_stage_ = nullptr;
  if (!waiters_) return;
  for (const auto& waiters : *waiters_) {
    if (waiters) waiters->complete(asio::error::operation_aborted);
  }
}

void detail::untrack::operator()(tracked_connection* body) const noexcept {
  body->end();
  intrusive_ptr_release(body);
}

void connection::idle(bool is_idle) {
  if (body_) body_->idle(is_idle);
}

asio::any_io_executor connection::executor() const {
  return body_ ? body_->executor() : asio::any_io_executor{};
}

void connection::wait(drain_stage stage, asio::any_completion_handler<void(error_code)> handler,
                      asio::any_io_executor own) {
  if (body_) return body_->wait(stage, std::move(handler), std::move(own));
  // A connection that is not tracked gets an error.
  if (!own) own = asio::system_executor{};
  asio::post(own, asio::append(std::move(handler), make_error_code(errc::invalid_argument)));
}

bool connection::draining() const noexcept { return body_ && body_->draining(); }

}  // namespace graceful
