// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/timeline.hpp"

#include <doctest/doctest.h>

using graceful::testing::timeline;
using namespace std::chrono_literals;

namespace {

const timeline::clock::time_point begun{1'000'000s};

}  // namespace

TEST_CASE("a timeline is in the order of time, whatever the order in which it becomes known") {
  timeline events{begun};
  events.add("generation 2", "serves", begun + 1500ms);
  events.add("test", "deploys", begun + 20ms);
  events.add("deploy", "spawned", begun + 21ms);
  CHECK(events.to_string() ==
        "+    20 ms  test          deploys\n"
        "+    21 ms  deploy        spawned\n"
        "+  1500 ms  generation 2  serves\n");
}

TEST_CASE("what happens at the same time stays in the order in which it was added") {
  timeline events{begun};
  for (const char* what : {"b", "a", "c"}) events.add("test", what, begun + 5ms);
  events.add("test", "before", begun);
  CHECK(events.to_string() ==
        "+     0 ms  test  before\n"
        "+     5 ms  test  b\n"
        "+     5 ms  test  a\n"
        "+     5 ms  test  c\n");
}

TEST_CASE("times count from the begin, in milliseconds; what was before it happened at 0") {
  const timeline events{begun};
  CHECK(events.offset(begun + 12'999us) == "+    12 ms");
  CHECK(events.offset(begun + 20min) == "+1200000 ms");
  CHECK(events.offset(begun - 1s) == "+     0 ms");
  CHECK(events.to_string().empty());
}
