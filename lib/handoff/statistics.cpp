// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/statistics.hpp"

#include <graceful/phases.hpp>

#include <string>
#include <utility>

namespace graceful {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

void statistics::inherit(const wire::totals& before) {
  const std::lock_guard lock{mutex_};
  now_.totals = before;
}

statistics::step statistics::reach(std::string_view phase, time started, time now) {
  const std::lock_guard lock{mutex_};
  if (!reached_) {
    now_.durations.clear();
    reached_ = started;
  }
  const auto before = std::exchange(*reached_, now);
  now_.durations.insert_or_assign(std::string{phase}, duration_cast<microseconds>(now - before));
  now_.probation = phase == phases::ready;
  if (phase == phases::committed) {
    ++now_.totals.committed;
    reached_.reset();
  }
  const auto elapsed = duration_cast<milliseconds>(now - started);
  return {elapsed, elapsed - duration_cast<milliseconds>(before - started)};
}

void statistics::resume() {
  const std::lock_guard lock{mutex_};
  now_.probation = false;
}

void statistics::fail() {
  const std::lock_guard lock{mutex_};
  if (!reached_) now_.durations.clear();  // it did not reach any phase
  ++(now_.durations.contains(phases::ready) ? now_.totals.rolled_back : now_.totals.failed);
  reached_.reset();
}

void statistics::ready(wire::phase_durations durations, time now) {
  const std::lock_guard lock{mutex_};
  now_.durations = std::move(durations);
  ready_at_ = now;
}

void statistics::taken_over(time now) {
  const std::lock_guard lock{mutex_};
  ++now_.totals.committed;
  now_.durations.insert_or_assign(phases::committed, duration_cast<microseconds>(now - ready_at_));
}

void statistics::others_drain(std::uint64_t connections, std::uint64_t newly_cut) {
  const std::lock_guard lock{mutex_};
  now_.draining_before = connections;
  now_.totals.cut += newly_cut;
}

statistics::numbers statistics::now() const {
  const std::lock_guard lock{mutex_};
  auto all = now_;
  all.upgrading = reached_.has_value();
  return all;
}

wire::phase_durations statistics::durations_to(std::string_view phase, time at) const {
  const std::lock_guard lock{mutex_};
  auto durations = now_.durations;
  if (reached_) {
    durations.insert_or_assign(std::string{phase}, duration_cast<microseconds>(at - *reached_));
  }
  return durations;
}

}  // namespace graceful
