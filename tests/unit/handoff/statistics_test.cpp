// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/statistics.hpp"

#include <doctest/doctest.h>

#include <chrono>

using graceful::statistics;
namespace wire = graceful::wire;
using namespace std::chrono_literals;

namespace {

const statistics::time start{100s};

}  // namespace

TEST_CASE("each phase takes the time since the one before, and the sum is the elapsed time") {
  statistics s;
  CHECK_FALSE(s.now().upgrading);
  auto step = s.reach("spawned", start, start + 1600us);
  CHECK(step.elapsed == 1ms);
  CHECK(step.duration == 1ms);
  CHECK(s.now().upgrading);
  step = s.reach("begun", start, start + 3200us);
  CHECK(step.elapsed == 3ms);
  CHECK(step.duration == 2ms);
  step = s.reach("ready", start, start + 9ms);
  CHECK(step.elapsed == 9ms);
  CHECK(step.duration == 6ms);
  CHECK(s.now().durations ==
        wire::phase_durations{{"spawned", 1600us}, {"begun", 1600us}, {"ready", 5800us}});
}

TEST_CASE("a successor is told the phases up to the one that is about to be reached") {
  statistics s;
  s.reach("passed", start, start + 1ms);
  CHECK(s.durations_to("ready", start + 3ms) ==
        wire::phase_durations{{"passed", 1ms}, {"ready", 2ms}});
  CHECK(s.now().durations == wire::phase_durations{{"passed", 1ms}});
}

TEST_CASE("a committed upgrade counts as committed, and is over") {
  statistics s;
  s.reach("spawned", start, start + 1ms);
  s.reach("ready", start, start + 2ms);
  CHECK(s.now().probation);
  CHECK(s.now().totals.committed == 0);
  s.reach("committed", start, start + 5s);
  CHECK(s.now().totals.committed == 1);
  CHECK_FALSE(s.now().probation);
  CHECK_FALSE(s.now().upgrading);
  CHECK(s.now().durations.at("committed") == 4998ms);
}

TEST_CASE("a failed upgrade counts as failed, and as rolled back if it had been ready") {
  statistics s;
  s.fail();  // nothing could be spawned
  CHECK(s.now().totals.failed == 1);
  s.reach("spawned", start, start + 1ms);
  s.fail();
  CHECK(s.now().totals.failed == 2);
  CHECK(s.now().totals.rolled_back == 0);
  CHECK_FALSE(s.now().upgrading);
  s.reach("spawned", start, start + 1ms);
  s.reach("ready", start, start + 2ms);
  s.resume();
  CHECK(s.now().upgrading);
  CHECK_FALSE(s.now().probation);
  s.fail();
  CHECK(s.now().totals.failed == 2);
  CHECK(s.now().totals.rolled_back == 1);
  CHECK(s.now().durations.size() == 2);
  s.fail();  // phases of the upgrade before are not attributed to this one
  CHECK(s.now().totals.failed == 3);
  CHECK(s.now().durations.empty());
}

TEST_CASE("a new upgrade forgets the phases of the last one") {
  statistics s;
  s.reach("spawned", start, start + 1ms);
  s.reach("ready", start, start + 2ms);
  s.fail();
  s.reach("begun", start + 10s, start + 10s + 1ms);
  CHECK(s.now().durations == wire::phase_durations{{"begun", 1ms}});
}

TEST_CASE("a committed successor continues the counts of its predecessor") {
  statistics s;
  s.inherit({.committed = 3, .failed = 2, .rolled_back = 1, .cut = 9});
  s.ready({{"spawned", 1ms}, {"ready", 2ms}}, start);
  CHECK(s.now().totals.committed == 3);
  CHECK_FALSE(s.now().probation);  // it is in probation itself, but has no successor that is
  s.taken_over(start + 5s);
  CHECK(s.now().totals.committed == 4);
  CHECK(s.now().totals.failed == 2);
  CHECK(s.now().totals.rolled_back == 1);
  CHECK(s.now().totals.cut == 9);
  CHECK(s.now().durations ==
        wire::phase_durations{{"spawned", 1ms}, {"ready", 2ms}, {"committed", 5s}});
  CHECK_FALSE(s.now().upgrading);
}

TEST_CASE(
    "cut connections of earlier generations stay counted, draining ones only while they drain") {
  statistics s;
  s.inherit({.committed = 0, .failed = 0, .rolled_back = 0, .cut = 5});
  s.others_drain(40);
  CHECK(s.now().draining_before == 40);
  CHECK(s.now().totals.cut == 5);
  s.others_drain(2, 2);
  CHECK(s.now().draining_before == 2);
  CHECK(s.now().totals.cut == 7);
  s.others_drain(0);
  CHECK(s.now().draining_before == 0);
  CHECK(s.now().totals.cut == 7);
}
