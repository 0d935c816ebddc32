// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "older_generations.hpp"

#include <doctest/doctest.h>

using graceful::older_generations;

TEST_CASE("what drains is listed by generation, with what it said last") {
  older_generations all{8};
  CHECK_FALSE(all.report(20, {2, 702, 5}));
  CHECK_FALSE(all.report(10, {1, 701, 9}));
  CHECK_FALSE(all.report(20, {2, 702, 4}));
  const auto listed = all.all();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].pid == 701);
  CHECK(listed[1].connections == 4);
}

TEST_CASE("beyond the cap the oldest is told to hurry, once, and stays told") {
  older_generations all{2};
  CHECK_FALSE(all.report(30, {3, 703, 1}));
  CHECK_FALSE(all.report(20, {2, 702, 1}));
  const auto told = all.report(10, {1, 701, 1});
  REQUIRE(told);
  CHECK(told->generation == 1);
  CHECK(all.hurried(10));
  CHECK_FALSE(all.hurried(20));
  CHECK_FALSE(all.report(10, {1, 701, 1}));
  CHECK(all.all().front().hurried);
  const auto next = all.report(40, {4, 704, 1});
  REQUIRE(next);
  CHECK(next->generation == 2);
}

TEST_CASE("what was cut is counted once, whatever a process repeats") {
  older_generations all{8};
  CHECK_FALSE(all.report(10, {1, 701, 1}));
  CHECK(all.newly_cut(10, 0) == 0);
  CHECK(all.newly_cut(10, 3) == 3);
  CHECK(all.newly_cut(10, 3) == 0);
  CHECK(all.newly_cut(10, 2) == 0);
  CHECK(all.newly_cut(20, 3) == 3);
}

TEST_CASE("what has ended is listed no more, and makes room") {
  older_generations all{1};
  CHECK_FALSE(all.report(10, {1, 701, 1}));
  const auto ended = all.closed(10);
  REQUIRE(ended);
  CHECK(ended->pid == 701);
  CHECK_FALSE(all.closed(10));
  CHECK_FALSE(all.report(20, {2, 702, 1}));
  CHECK(all.all().size() == 1);
  CHECK_FALSE(all.hurried(10));
}
