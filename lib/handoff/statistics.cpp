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
  totals_ = before;
}

statistics::step statistics::reach(std::string_view phase, time started, time now) {
  const std::lock_guard lock{mutex_};
  if (!reached_) {
    durations_.clear();
    reached_ = started;
  }
  const auto before = std::exchange(*reached_, now);
  durations_.insert_or_assign(std::string{phase}, duration_cast<microseconds>(now - before));
  probation_ = phase == phases::ready;
  if (phase == phases::committed) {
    ++totals_.committed;
    reached_.reset();
  }
  const auto elapsed = duration_cast<milliseconds>(now - started);
  return {elapsed, elapsed - duration_cast<milliseconds>(before - started)};
}

void statistics::resume() {
  const std::lock_guard lock{mutex_};
  probation_ = false;
}

void statistics::fail() {
  const std::lock_guard lock{mutex_};
  if (!reached_) durations_.clear();  // it did not reach any phase
  ++(durations_.contains(phases::ready) ? totals_.rolled_back : totals_.failed);
  reached_.reset();
}

void statistics::ready(wire::phase_durations durations, time now) {
  const std::lock_guard lock{mutex_};
  durations_ = std::move(durations);
  ready_at_ = now;
}

void statistics::taken_over(time now) {
  const std::lock_guard lock{mutex_};
  ++totals_.committed;
  durations_.insert_or_assign(phases::committed, duration_cast<microseconds>(now - ready_at_));
}

void statistics::others_drain(std::uint64_t connections) {
  const std::lock_guard lock{mutex_};
  others_connections_ = connections;
}

void statistics::others_cut(std::uint64_t connections) {
  const std::lock_guard lock{mutex_};
  totals_.cut += connections;
}

wire::totals statistics::totals() const {
  const std::lock_guard lock{mutex_};
  return totals_;
}

wire::phase_durations statistics::durations() const {
  const std::lock_guard lock{mutex_};
  return durations_;
}

wire::phase_durations statistics::durations_to(std::string_view phase, time now) const {
  const std::lock_guard lock{mutex_};
  auto durations = durations_;
  if (reached_) {
    durations.insert_or_assign(std::string{phase}, duration_cast<microseconds>(now - *reached_));
  }
  return durations;
}

std::uint64_t statistics::draining_before() const {
  const std::lock_guard lock{mutex_};
  return others_connections_;
}

bool statistics::upgrading() const {
  const std::lock_guard lock{mutex_};
  return reached_.has_value();
}

bool statistics::probation() const {
  const std::lock_guard lock{mutex_};
  return probation_;
}

}  // namespace graceful
