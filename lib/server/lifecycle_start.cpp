// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// How a process comes to serve: ready(), the probation of a successor, and the commit.
#include <graceful/error.hpp>

#include "control/await.hpp"
#include "os/control_path.hpp"
#include "server/lifecycle.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

namespace graceful {

namespace {

/// How long a cold start waits at least for a `listen` that comes after ready().
constexpr std::chrono::milliseconds least_time_for_late_listens{1'000};

failure told_to_end() { return {errc::upgrade_failed, "it was told to end before it was ready"}; }

}  // namespace

void lifecycle::ready() {
  const std::lock_guard lock{ready_mutex_};
  auto actions = take(life::event::ready_called);
  if (actions == life::actions{life::action::announce}) actions = announce();
  asio::post(control_.context(), [this] { perform_queued(); });
  if (actions == life::actions{life::action::refuse_ready}) refuse_ready();
  if (actions == life::actions{life::action::open}) open();
}

life::actions lifecycle::announce() {
  try {
    const auto outcome = owned_.predecessor->ready(sockets_->unwanted());
    if (!outcome) ready_failure_ = now().told_to_end() ? told_to_end() : outcome.error();
  } catch (const std::exception& e) {
    owned_.predecessor->break_off();  // the predecessor goes on
    ready_failure_ = failure{errc::upgrade_failed, e.what()};
  }
  if (ready_failure_) return take(life::event::not_accepted);
  statistics_.ready(owned_.predecessor->durations(), std::chrono::steady_clock::now());
  return take(life::event::announced);
}

void lifecycle::refuse_ready() {
  if (!ready_failure_) {
    ready_failure_ = told_to_end();
    owned_.predecessor->fail(ready_failure_->message);
  }
  throw error{*ready_failure_};
}

void lifecycle::open() {
  const auto opened = [this] {
    (void)take(life::event::opened);
    asio::post(control_.context(), [this] { perform_queued(); });
  };
  try {
    sockets_->open();
    log_.info("generation " + std::to_string(generation_) + " serves");
  } catch (...) {
    opened();  // the caller learns what has failed; a signal ends this process as ever
    throw;
  }
  opened();
}

void lifecycle::say_serves() {
  commit_waiters_->complete({});
  caretaker_.look_after();
  service_->serves(generation_, false);
  // Sockets from a service manager are kept for as long as those from a predecessor.
  call_after(late_listens_, std::max(options_.probation, least_time_for_late_listens),
             [this] { (void)sockets_->settle_claims(); });
}

void lifecycle::watch_predecessor() {
  giving_up_.stop();
  caretaker_.look_after();
  try {
    auto [connection, incoming] = owned_.predecessor->release();
    predecessor_.emplace(
        control_.context(), log_,
        predecessor_watch::predecessor{owned_.predecessor->predecessor_pid(), std::move(connection),
                                       std::move(incoming), owned_.predecessor->release_pidfd(),
                                       owned_.predecessor->predecessor_asks()},
        control_path_,
        predecessor_watch::callbacks{[this](auto vouch) { confirm(std::move(vouch)); },
                                     [this] { decide(life::event::committed); },
                                     [this](const std::string& why) { roll_back(why); },
                                     [this] { on_predecessor_ended(); }});
    predecessor_->start();
  } catch (const std::exception& e) {
    // The connection is closed by now, so the predecessor accepts again.
    roll_back(std::string{"cannot watch the predecessor: "} + e.what());
  }
}

/// Answers the predecessor, which wants to know that this process serves before it lets its sockets
/// go.
void lifecycle::confirm(predecessor_watch::callbacks::vouch vouch) {
  // The lock and the control socket are on offer too.
  const bool must_listen = owned_.predecessor->offer().descriptors > 2;
  confirmation_.ask(
      must_listen,
      {.serves = [this, vouch = std::move(vouch)] { vouch(sockets_->settle_claims()); },
       .does_not = [this](const std::string& why) { predecessor_->fail(why); }});
}

/// Runs on the control thread, before ready(). A predecessor that has given up the upgrade keeps
/// serving, and ends some day. By then, this process must not hold its sockets.
giving_up_watch::seen lifecycle::look_at_predecessor() {
  using seen = giving_up_watch::seen;
  const std::unique_lock lock{ready_mutex_, std::try_to_lock};
  if (!lock) return seen::busy;
  const auto life = now();
  const bool awaits_ready = life.current() == life::stage::starting ||
                            (life.current() == life::stage::draining && !life.was_ready());
  if (!awaits_ready || ready_failure_) return seen::enough;
  const auto looked = owned_.predecessor->look();
  if (looked) {
    return *looked == successor_driver::standing::waits ? seen::nothing : seen::enough;
  }
  ready_failure_ = looked.error();
  decide(life::event::given_up);
  return seen::enough;
}

void lifecycle::give_back() {
  log_.error(ready_failure_->message + "; this process has to end");
  sockets_->stop();
  owned_.control.reset();
  owned_.lock.reset();
}

/// Commits this process: the predecessor does not come back.
void lifecycle::stay() {
  log_.info("committed: this process stays");
  sockets_->commit();
  (void)sockets_->settle_claims();
  statistics_.taken_over(std::chrono::steady_clock::now());
  os::sign_lock(owned_.lock->get(), os::signing::alone);
  (void)os::adopt_control(owned_.control->get());  // if that fails the path_keeper tries again
  // Before it answers on the control path: a client that asks then finds a manager that knows.
  service_->serves(generation_, true);
}

}  // namespace graceful
