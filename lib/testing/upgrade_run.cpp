// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/upgrade_run.hpp"

#include <graceful/testing/pending_upgrade.hpp>

#include <utility>

namespace graceful::testing {

void upgrade_run::run(result<control_client> client, const upgrade_request& request,
                      const std::function<void(const upgrade_outcome&)>& on_change) {
  upgrade_outcome now;
  // The listener is told before the state is published: a thread that waited for it finds that the
  // listener knows.
  const auto publish = [&](bool ended) {
    if (!ended || now.code) on_change(now);
    {
      const std::lock_guard lock{mutex_};
      outcome_ = now;
      ended_ = ended;
    }
    changed_.notify_all();
  };
  const auto on_phase = [&](const upgrade_phase& phase) {
    now.phases.push_back(phase);
    if (phase.pid) now.pid = static_cast<pid_t>(*phase.pid);
    if (phase.generation) now.generation = *phase.generation;
    publish(false);
    return true;
  };
  failure why;
  if (!client) {
    why = client.error();
  } else if (const auto last = client->upgrade(request, on_phase); !last) {
    why = last.error();
  }
  now.code = why.code;
  now.message = why.message;
  publish(true);
}

bool upgrade_run::wait_for(std::string_view phase, deadline until) {
  std::unique_lock lock{mutex_};
  changed_.wait_until(lock, until.when(), [&] { return ended_ || outcome_.reached(phase); });
  return outcome_.reached(phase);
}

bool upgrade_run::wait(deadline until) {
  std::unique_lock lock{mutex_};
  return changed_.wait_until(lock, until.when(), [&] { return ended_; });
}

upgrade_outcome upgrade_run::so_far() const {
  const std::lock_guard lock{mutex_};
  return outcome_;
}

pending_upgrade::pending_upgrade(std::shared_ptr<upgrade_run> run) : run_{std::move(run)} {}

bool pending_upgrade::wait_for(std::string_view phase, deadline until) const {
  return run_->wait_for(phase, until);
}

upgrade_outcome pending_upgrade::wait(deadline until) const {
  if (run_->wait(until)) return run_->so_far();
  upgrade_outcome outcome = run_->so_far();
  outcome.code = errc::timed_out;
  outcome.message = "the upgrade has not ended, it is at: " +
                    (outcome.phases.empty() ? "nothing" : outcome.phases.back().phase);
  return outcome;
}

upgrade_outcome pending_upgrade::so_far() const { return run_->so_far(); }

}  // namespace graceful::testing
