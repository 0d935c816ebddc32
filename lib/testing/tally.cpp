// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/tally.hpp"

#include <algorithm>

namespace graceful::testing {
namespace {

std::uint64_t load_report::*counter_of(loss how) {
  switch (how) {
    case loss::refused:
      return &load_report::refused;
    case loss::reset:
      return &load_report::reset;
    case loss::cut_short:
      return &load_report::cut_short;
    case loss::timed_out:
      return &load_report::timed_out;
    case loss::other:
      break;
  }
  return &load_report::other;
}

}  // namespace

tally::tally(time_point started) : last_ok_{started} { report_.started = started; }

void tally::succeeded(std::uint64_t generation, std::chrono::nanoseconds latency, time_point now) {
  ++report_.ok;
  ++report_.by_generation[generation];
  latencies_.add(latency);
  end_silence(now);
}

void tally::failed(const request_lost& failure, time_point now) {
  ++(report_.*counter_of(failure.how));
  if (report_.failures.size() == load_report::failures_told) return;
  report_.failures.push_back(
      {.after = std::chrono::duration_cast<std::chrono::milliseconds>(now - report_.started),
       .ok_before = report_.ok,
       .how = failure.how,
       .why = failure.why});
}

void tally::stopped(time_point now) {
  stopped_ = now;
  end_silence(now);
}

load_report tally::report() const {
  load_report result = report_;
  result.p50 = latencies_.per_mille(500);
  result.p90 = latencies_.per_mille(900);
  result.p99 = latencies_.per_mille(990);
  result.p999 = latencies_.per_mille(999);
  result.max = latencies_.max();
  return result;
}

void tally::end_silence(time_point now) {
  now = std::min(now, stopped_);
  report_.longest_silence =
      std::max(report_.longest_silence,
               std::chrono::duration_cast<std::chrono::milliseconds>(now - last_ok_));
  last_ok_ = std::max(last_ok_, now);
}

}  // namespace graceful::testing
