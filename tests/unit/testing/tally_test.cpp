// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/tally.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

const tally::time_point load_start{500s};

}  // namespace

TEST_CASE("the longest silence may be between two successes, whatever fails within") {
  tally account{load_start};
  account.succeeded(1, 1ms, load_start + 10ms);
  account.failed({loss::refused, "connect"}, load_start + 50ms);
  account.succeeded(1, 1ms, load_start + 90ms);
  account.succeeded(1, 1ms, load_start + 100ms);
  account.stopped(load_start + 110ms);
  CHECK(account.report().longest_silence == 80ms);
}

TEST_CASE(
    "the longest silence may be before the first success, after the last, or the whole time") {
  tally late{load_start};
  late.succeeded(1, 1ms, load_start + 70ms);
  late.stopped(load_start + 80ms);
  CHECK(late.report().longest_silence == 70ms);

  tally early{load_start};
  early.succeeded(1, 1ms, load_start + 1ms);
  early.stopped(load_start + 80ms);
  CHECK(early.report().longest_silence == 79ms);

  tally never{load_start};
  never.failed({loss::reset, "recv"}, load_start + 20ms);
  never.stopped(load_start + 80ms);
  CHECK(never.report().longest_silence == 80ms);
}

TEST_CASE("a success after the stop counts, and does not lengthen the silence") {
  tally account{load_start};
  account.succeeded(1, 1ms, load_start + 10ms);
  account.stopped(load_start + 20ms);
  account.succeeded(1, 1ms, load_start + 3s);
  CHECK(account.report().ok == 2);
  CHECK(account.report().longest_silence == 10ms);
}

TEST_CASE("each loss counts once, under its own name") {
  tally account{load_start};
  int times = 0;
  for (const loss how :
       {loss::refused, loss::reset, loss::cut_short, loss::timed_out, loss::other}) {
    ++times;
    for (int i = 0; i < times; ++i) account.failed({how, "x"}, load_start);
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

TEST_CASE("the first failures are reported with their times, and all are counted") {
  tally account{load_start};
  account.succeeded(1, 1ms, load_start);
  account.failed({loss::reset, "recv: gone"}, load_start + 12ms);
  for (int i = 0; i < 1000; ++i) account.failed({loss::other, "x"}, load_start + 1s);
  const auto report = account.report();
  CHECK(report.lost() == 1001);
  CHECK(report.started == load_start);
  REQUIRE(report.failures.size() == load_report::failures_told);
  CHECK(report.failures.front().how == loss::reset);
  CHECK(report.failures.front().after == 12ms);
  CHECK(report.failures.front().to_string() == "reset: recv: gone (after 12 ms, 1 ok)");
  CHECK(report.failures.back().after == 1s);
  CHECK(report.to_string().find("\nfirst_failure: reset: recv: gone (after 12 ms, 1 ok)\n") !=
        std::string::npos);
}

TEST_CASE("the latest generation is the highest that served, and an unknown one does not count") {
  tally account{load_start};
  account.succeeded(0, 1ms, load_start);
  CHECK(account.report().served_by_latest() == 0);
  account.succeeded(9, 1ms, load_start);
  account.succeeded(10, 1ms, load_start);
  account.succeeded(10, 1ms, load_start);
  account.succeeded(9, 1ms, load_start);
  account.succeeded(9, 1ms, load_start);
  const auto report = account.report();
  CHECK(report.served_by_latest() == 2);
  CHECK(report.served_by(9) == 3);
  CHECK(report.served_by(8) == 0);
  CHECK(load_report{}.served_by_latest() == 0);
}

TEST_CASE("the percentiles are made from the latencies of successes") {
  tally account{load_start};
  for (int i = 1; i <= 100; ++i) account.succeeded(1, std::chrono::microseconds{i}, load_start);
  const auto report = account.report();
  CHECK(report.p50 == 50us);
  CHECK(report.p90 == 90us);
  CHECK(report.p99 == 99us);
  CHECK(report.p999 == 100us);
  CHECK(report.max == 100us);
}
