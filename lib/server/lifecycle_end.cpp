// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// How a process ends: another serves, its predecessor goes on, or nobody succeeds it.
#include "server/lifecycle.hpp"
#include "wire/control_messages.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

#include <unistd.h>

namespace graceful {

namespace {

/// Before another look whether ready() has returned.
constexpr std::chrono::milliseconds look_again_after{100};

}  // namespace

void lifecycle::drain(bool now) {
  asio::post(control_.context(), [this, now] { end(now); });
}

/// The predecessor accepts again.
void lifecycle::roll_back(const std::string& why) {
  if (handed_over_) return;
  log_.warning("rolled back: " + why + "; this process drains, its predecessor serves");
  go_back();
}

/// The predecessor serves, or is to serve. It does not have what this process has bound itself.
void lifecycle::go_back() {
  service_->goes_back();
  hand_over(around_.sockets.own());
  if (predecessor_) predecessor_->leave();
}

/// Somebody else serves what this process served, but for `ours`.
void lifecycle::hand_over(const inventory::names& ours) {
  handed_over_ = true;
  draining_ = true;
  // A process that has not been committed by now will not be.
  around_.commit_waiters.complete(make_error_code(errc::upgrade_failed));
  // Later: what led here is told first.
  asio::post(control_.context(), [this] { conclude_monitors(); });
  server_->stop_accepting();
  if (path_keeper_) path_keeper_->stop();
  owned_.control.reset();
  owned_.lock.reset();
  around_.waiters.complete({});
  begin_drain();
  report_drain();
  if (around_.sockets.let_go(ours)) {
    around_.sockets.leave_to_others(other_generations());
    last_call_.begin();
  } else {
    stop_accepting();
  }
  hurry();
}

void lifecycle::conclude_monitors() {
  if (handed_over_) {
    monitors_->conclude("handed_over", "another process serves");
  } else {
    monitors_->conclude("ended", "this process ends");
  }
}

void lifecycle::on_drain_call(control_session& from, bool now) {
  // Who is meant, the one that serves or the one that waits?
  if (driver_->in_probation()) {
    return from.reply(wire::to_error(wire::busy_error, driver_->why_busy()));
  }
  end(now);
  drain_.watch(from);
}

/// ready() waits for the predecessor, for as long as that may take, and this thread does not. That
/// the connection ends costs nothing: the predecessor accepts again, or has died.
void lifecycle::end_after_ready(bool now) {
  told_to_end_ = true;
  in_a_hurry_ = in_a_hurry_ || now;
  if (owned_.predecessor) owned_.predecessor->break_off();
  look_again_.expires_after(look_again_after);
  look_again_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) end(in_a_hurry_);
  });
}

/// This process ends, and nobody succeeds it.
void lifecycle::end(bool now) {
  const std::unique_lock lock{ready_mutex_, std::try_to_lock};
  if (!lock) return end_after_ready(now);
  const bool in_probation = ready_ && !committed_ && !draining_;
  if (in_probation && !predecessor_) return drain(now);  // what ready() has posted comes first
  in_a_hurry_ = in_a_hurry_ || now;
  if (!draining_) {
    log_.info(now ? "this process ends" : "this process drains, and ends");
    // If that commits a successor in probation, nothing is left to do.
    driver_->shutdown(service_->stopped_by_its_main() || objection(true).has_value());
  }
  if (!in_probation) {
    if (!draining_) end_alone();
  } else if (!std::exchange(asked_back_, true)) {
    // Its predecessor goes on, before this process stops: what it decides is heard as ever.
    predecessor_->ask_back("the successor was told to end");
  } else if (now) {
    go_back();  // in a hurry there is no time for who has been asked already
  }
  hurry();
}

/// This process ends, and no predecessor takes its place: there is none, or this one was never
/// ready and so never in a place.
void lifecycle::end_alone() {
  draining_ = true;
  around_.commit_waiters.complete(make_error_code(errc::upgrade_failed));
  monitors_->tell("draining", "this process drains, and ends");
  around_.waiters.complete({});
  begin_drain();
  // A socket that a predecessor serves too is not to be touched.
  if (committed_) {
    service_->ask_for_sockets([this] {
      around_.sockets.let_go_kept();
      around_.sockets.leave_to_others(other_generations());
      service_->ends(around_.tracked.open());
      last_call_.begin();
      hurry();
    });
  } else {
    stop_accepting();
  }
  hurry();
}

/// Those that may still have to close what they have handed on, or are to hand back.
std::set<pid_t> lifecycle::other_generations() const {
  std::set<pid_t> pids;
  for (const auto& process : older_.all()) pids.insert(static_cast<pid_t>(process.pid));
  if (predecessor_) pids.insert(predecessor_->pid());
  if (const auto successor = driver_->successor_pid()) pids.insert(*successor);
  return pids;
}

/// Whoever is cut is told before accepting stops, and so before the context may end.
void lifecycle::begin_drain() {
  drain_.begin();
  if (in_a_hurry_) drain_.hurry();
}

void lifecycle::hurry() {
  if (!in_a_hurry_ || !draining_) return;
  caretaker_.hurry();
  drain_.hurry();
  last_call_.end();
}

/// From now on nothing but connections keeps the context running. The last step wherever it is
/// taken: the context may end at once, and what is posted to it then is not run.
void lifecycle::stop_accepting() {
  around_.sockets.stop();
  caretaker_.see_off();
  around_.release_work();
}

void lifecycle::report_drain() {
  if (!handed_over_) {
    if (draining_) service_->ends(around_.tracked.open());
    return;
  }
  drain_reporter_.report({generation_, ::getpid(), around_.tracked.open(), around_.tracked.cut()});
}

/// What is left at the deadline has no token, or does not heed it, or does not accept any more.
void lifecycle::cut_short() {
  last_call_.end();
  caretaker_.hurry();
  const std::string when = in_a_hurry_ ? "drain: " : "drain: the deadline has passed and ";
  if (!around_.stop_context) {
    return log_.warning(when +
                        "something still runs: it goes on, since the upgrader was made with an "
                        "executor and knows no context to stop");
  }
  log_.warning(when + "something still runs: stopping the context");
  around_.stop_context();
}

}  // namespace graceful
