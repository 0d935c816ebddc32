// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/timeline.hpp"

#include <doctest/doctest.h>

using graceful::testing::timeline;
using namespace std::chrono_literals;

namespace {

const timeline::clock::time_point timeline_start{1'000'000s};

}  // namespace

TEST_CASE("a timeline is in order of time, in whatever order events are added") {
  timeline events{timeline_start};
  events.add("generation 2", "serves", timeline_start + 1500ms);
  events.add("test", "deploys", timeline_start + 20ms);
  events.add("deploy", "spawned", timeline_start + 21ms);
  CHECK(events.to_string() ==
        "+    20 ms  test          deploys\n"
        "+    21 ms  deploy        spawned\n"
        "+  1500 ms  generation 2  serves\n");
}

TEST_CASE("events at the same time stay in the order in which they were added") {
  timeline events{timeline_start};
  for (const char* what : {"b", "a", "c"}) events.add("test", what, timeline_start + 5ms);
  events.add("test", "before", timeline_start);
  CHECK(events.to_string() ==
        "+     0 ms  test  before\n"
        "+     5 ms  test  b\n"
        "+     5 ms  test  a\n"
        "+     5 ms  test  c\n");
}

TEST_CASE("times count from the beginning, in milliseconds; earlier events are at 0") {
  const timeline events{timeline_start};
  CHECK(events.offset(timeline_start + 12'999us) == "+    12 ms");
  CHECK(events.offset(timeline_start + 20min) == "+1200000 ms");
  CHECK(events.offset(timeline_start - 1s) == "+     0 ms");
  CHECK(events.to_string().empty());
}
