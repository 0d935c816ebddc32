// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// How a process ends: its successor serves, its predecessor goes on, or no process takes its place.
#include "server/lifecycle.hpp"

#include <boost/asio/post.hpp>

namespace graceful {

void lifecycle::drain(bool now) {
  asio::post(control_.context(), [this, now] { end(now); });
}

/// Ends this process, because the predecessor accepts again.
void lifecycle::roll_back(const std::string& why) {
  if (!now().in_probation()) return;
  log_.warning("rolled back: " + why + "; this process drains, its predecessor serves");
  decide(life::event::rolled_back);
}

/// Leaves the service to the predecessor, which does not have the sockets that this process has
/// bound.
void lifecycle::go_back() {
  service_->goes_back();
  hand_over(sockets_->own());
  if (predecessor_) {
    predecessor_->leave();
  } else {
    giving_up_.stop();
    (void)owned_.predecessor->release();  // closes the connection
  }
}

/// Leaves everything but `ours` to the process that serves now.
void lifecycle::hand_over(const inventory::names& ours) {
  // If this process has not been committed by now, it never will be.
  commit_waiters_->complete(make_error_code(errc::upgrade_failed));
  // Posted, so that monitors hear first what led here.
  asio::post(control_.context(), [this] { conclude_monitors(); });
  server_->stop_accepting();
  if (path_keeper_) path_keeper_->stop();
  owned_.control.reset();
  owned_.lock.reset();
  waiters_->complete({});
  // Accepting stops first: a client whose connection is cut connects again at once, and then the
  // other process has to answer it.
  const bool some_left = sockets_->let_go(ours);
  begin_drain();
  report_drain();
  if (some_left) {
    sockets_->open();  // if it was told to end before it was
    sockets_->leave_to_others(other_generations());
    last_call_.begin();
  } else {
    stop_accepting();
  }
  hurry();
}

void lifecycle::conclude_monitors() {
  if (now().handed_over()) {
    server_->conclude("handed_over", "another process serves");
  } else {
    server_->conclude("ended", "this process ends");
  }
}

void lifecycle::end(bool now) {
  decide(now ? life::event::told_to_end_now : life::event::told_to_end);
}

/// Ends the upgrade under way. If that commits the successor, this process hands over.
void lifecycle::settle_upgrade() {
  try {
    driver_->shutdown(service_->stopped_by_its_main() || objection(true).has_value());
  } catch (...) {
    decide(life::event::upgrade_settled);  // it ends all the same
    throw;
  }
  decide(life::event::upgrade_settled);
}

/// Drains without a process in its place: there is no predecessor, or this process was never ready.
void lifecycle::end_alone() {
  commit_waiters_->complete(make_error_code(errc::upgrade_failed));
  server_->tell("draining", "this process drains, and ends");
  waiters_->complete({});
  // An uncommitted process does not touch sockets that its predecessor still serves.
  if (!now().committed()) {
    begin_drain();
    stop_accepting();
    return hurry();
  }
  drain_.begin();
  service_->ask_for_sockets([this] {
    sockets_->let_go_kept();
    sockets_->leave_to_others(other_generations());
    service_->ends(tracked_->open());
    last_call_.begin();
    hurry();  // last, as in hand_over()
  });
}

/// Lists the processes that may still hold sockets of this one.
std::set<pid_t> lifecycle::other_generations() const {
  std::set<pid_t> pids;
  for (const auto& process : older_.all()) pids.insert(static_cast<pid_t>(process.pid));
  if (predecessor_) pids.insert(predecessor_->pid());
  if (const auto successor = driver_->successor_pid()) pids.insert(*successor);
  return pids;
}

/// Tells connections that they are cut before the work is released, since the context may end then.
void lifecycle::begin_drain() {
  drain_.begin();
  if (now().in_a_hurry()) drain_.hurry();
}

void lifecycle::hurry() {
  if (!now().in_a_hurry() || !draining()) return;
  caretaker_.hurry();
  drain_.hurry();
  last_call_.end();
}

/// From now on only connections keep the context running. Always the last step: the context may end
/// at once, and then it runs nothing that is posted.
void lifecycle::stop_accepting() {
  sockets_->stop();
  caretaker_.see_off();
  work_ = asio::any_io_executor{};
}

void lifecycle::report_drain() {
  if (!now().handed_over()) {
    if (draining()) service_->ends(tracked_->open());
    return;
  }
  drain_.report_to_server(generation_);
}

/// Ends what is left at the deadline: connections without a token, or that do not heed it.
void lifecycle::cut_short() {
  last_call_.end();
  caretaker_.hurry();
  const std::string when = now().in_a_hurry() ? "drain: " : "drain: the deadline has passed and ";
  if (!callbacks_.stop_context) {
    return log_.warning(when +
                        "something still runs: it goes on, since the upgrader was made with an "
                        "executor and knows no context to stop");
  }
  log_.warning(when + "something still runs: stopping the context");
  callbacks_.stop_context();
}

}  // namespace graceful
