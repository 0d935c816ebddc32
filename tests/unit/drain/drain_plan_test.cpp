// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain_plan.hpp"

#include <doctest/doctest.h>

#include <vector>

using graceful::handoff::drain_plan;
using namespace std::chrono_literals;
using kind = drain_plan::due::kind;

namespace {

constexpr drain_plan::time t0{1h};

drain_plan plan() { return drain_plan{{.timeout = 30s, .idle_grace = 5s, .spread = 1s}}; }

using dues = std::vector<drain_plan::due>;

}  // namespace

TEST_CASE("before a drain begins nothing is due") {
  auto p = plan();
  CHECK_FALSE(p.begun());
  CHECK_FALSE(p.next());
  CHECK_FALSE(p.expired(t0 + 1000h));
  CHECK(p.take(t0 + 1000h).empty());
  p.hurry(t0);
  CHECK_FALSE(p.next());
}

TEST_CASE("the connections are told evenly over the spread, the first at once") {
  auto p = plan();
  p.begin(t0, {1, 2, 3, 4, 5});
  CHECK(p.take(t0) == dues{{1, kind::draining}});
  CHECK(p.next() == t0 + 250ms);
  CHECK(p.take(t0 + 249ms).empty());
  CHECK(p.take(t0 + 500ms) == dues{{2, kind::draining}, {3, kind::draining}});
  CHECK(p.take(t0 + 1s) == dues{{4, kind::draining}, {5, kind::draining}});
}

TEST_CASE("each connection has the whole idle grace from when it was told") {
  auto p = plan();
  p.begin(t0, {1, 2});
  p.take(t0 + 1s);
  CHECK(p.next() == t0 + 5s);
  CHECK(p.take(t0 + 5s) == dues{{1, kind::idle_grace_over}});
  CHECK(p.take(t0 + 6s) == dues{{2, kind::idle_grace_over}});
}

TEST_CASE("a single connection is told at once") {
  auto p = plan();
  p.begin(t0, {7});
  CHECK(p.take(t0) == dues{{7, kind::draining}});
}

TEST_CASE("when everything has been told the deadline is next, and after the deadline nothing") {
  auto p = plan();
  p.begin(t0, {});
  CHECK(p.next() == t0 + 30s);
  CHECK_FALSE(p.expired(t0 + 29s));
  CHECK(p.take(t0 + 30s).empty());
  CHECK(p.expired(t0 + 30s));
  CHECK_FALSE(p.next());
}

TEST_CASE("a connection that is tracked late has its grace from then on") {
  auto p = plan();
  p.begin(t0, {});
  p.add(t0 + 2s, 9);
  CHECK(p.next() == t0 + 7s);
  CHECK(p.take(t0 + 7s) == dues{{9, kind::idle_grace_over}});
}

TEST_CASE("hurry moves the deadline forward, never back") {
  auto p = plan();
  p.begin(t0, {1});
  p.hurry(t0 + 3s);
  CHECK(p.next() <= t0 + 3s);
  CHECK(p.expired(t0 + 3s));
  p.hurry(t0 + 10s);
  CHECK(p.expired(t0 + 3s));
}

TEST_CASE("a drain begins only once") {
  auto p = plan();
  p.begin(t0, {1});
  p.begin(t0 + 10s, {1, 2});
  CHECK(p.next() == t0);
  CHECK(p.take(t0 + 10s) == dues{{1, kind::draining}, {1, kind::idle_grace_over}});
}
