// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/tally.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

const tally::time_point start{500s};

}  // namespace

TEST_CASE("the longest silence may be between two successes, whatever fails within") {
  tally account{start};
  account.succeeded(1, 1ms, start + 10ms);
  account.failed({loss::refused, "connect"}, start + 50ms);
  account.succeeded(1, 1ms, start + 90ms);
  account.succeeded(1, 1ms, start + 100ms);
  account.stopped(start + 110ms);
  CHECK(account.report().longest_silence == 80ms);
}

TEST_CASE("the longest silence may be before the first success, after the last, or all there is") {
  tally late{start};
  late.succeeded(1, 1ms, start + 70ms);
  late.stopped(start + 80ms);
  CHECK(late.report().longest_silence == 70ms);

  tally early{start};
  early.succeeded(1, 1ms, start + 1ms);
  early.stopped(start + 80ms);
  CHECK(early.report().longest_silence == 79ms);

  tally never{start};
  never.failed({loss::reset, "recv"}, start + 20ms);
  never.stopped(start + 80ms);
  CHECK(never.report().longest_silence == 80ms);
}

TEST_CASE("what succeeds after the stop counts, and is no silence") {
  tally account{start};
  account.succeeded(1, 1ms, start + 10ms);
  account.stopped(start + 20ms);
  account.succeeded(1, 1ms, start + 3s);
  CHECK(account.report().ok == 2);
  CHECK(account.report().longest_silence == 10ms);
}

TEST_CASE("each loss counts once, under its own name") {
  tally account{start};
  int times = 0;
  for (const loss how :
       {loss::refused, loss::reset, loss::cut_short, loss::timed_out, loss::other}) {
    ++times;
    for (int i = 0; i < times; ++i) account.failed({how, "x"}, start);
  }
  const auto report = account.report();
  CHECK(report.refused == 1);
  CHECK(report.reset == 2);
  CHECK(report.cut_short == 3);
  CHECK(report.timed_out == 4);
  CHECK(report.other == 5);
  CHECK(report.lost() == 15);
  CHECK(account.lost() == 15);
}

TEST_CASE("the first failures are told with their times, all are counted") {
  tally account{start};
  account.succeeded(1, 1ms, start);
  account.failed({loss::reset, "recv: gone"}, start + 12ms);
  for (int i = 0; i < 1000; ++i) account.failed({loss::other, "x"}, start + 1s);
  const auto report = account.report();
  CHECK(report.lost() == 1001);
  CHECK(report.started == start);
  REQUIRE(report.failures.size() == load_report::failures_told);
  CHECK(report.failures.front().how == loss::reset);
  CHECK(report.failures.front().after == 12ms);
  CHECK(report.failures.front().to_string() == "reset: recv: gone (after 12 ms, 1 ok)");
  CHECK(report.failures.back().after == 1s);
  CHECK(report.to_string().find("\nfirst_failure: reset: recv: gone (after 12 ms, 1 ok)\n") !=
        std::string::npos);
}

TEST_CASE("the latest generation is the highest that served, and one unknown is none") {
  tally account{start};
  account.succeeded(0, 1ms, start);
  CHECK(account.report().served_by_latest() == 0);
  account.succeeded(9, 1ms, start);
  account.succeeded(10, 1ms, start);
  account.succeeded(10, 1ms, start);
  account.succeeded(9, 1ms, start);
  account.succeeded(9, 1ms, start);
  const auto report = account.report();
  CHECK(report.served_by_latest() == 2);
  CHECK(report.served_by(9) == 3);
  CHECK(report.served_by(8) == 0);
  CHECK(load_report{}.served_by_latest() == 0);
}

TEST_CASE("latencies of those that succeeded make the percentiles") {
  tally account{start};
  for (int i = 1; i <= 100; ++i) account.succeeded(1, std::chrono::microseconds{i}, start);
  const auto report = account.report();
  CHECK(report.p50 == 50us);
  CHECK(report.p90 == 90us);
  CHECK(report.p99 == 99us);
  CHECK(report.p999 == 100us);
  CHECK(report.max == 100us);
}
