// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/older_generations.hpp"

#include <doctest/doctest.h>

using graceful::older_generations;

TEST_CASE("draining processes are listed by generation, with their last report") {
  older_generations all{8};
  CHECK_FALSE(all.report(20, {2, 702, 5}, 0).hurry);
  CHECK_FALSE(all.report(10, {1, 701, 9}, 0).hurry);
  CHECK_FALSE(all.report(20, {2, 702, 4}, 0).hurry);
  const auto listed = all.all();
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].pid == 701);
  CHECK(listed[1].connections == 4);
  CHECK(all.connections() == 13);
}

TEST_CASE("beyond the cap the oldest is told to hurry, once, and stays told") {
  older_generations all{2};
  CHECK_FALSE(all.report(30, {3, 703, 1}, 0).told_to_hurry);
  CHECK_FALSE(all.report(20, {2, 702, 1}, 0).told_to_hurry);
  const auto first = all.report(10, {1, 701, 1}, 0);
  REQUIRE(first.told_to_hurry);
  CHECK(first.told_to_hurry->generation == 1);
  CHECK(first.hurry);
  const auto again = all.report(10, {1, 701, 1}, 0);
  CHECK(again.hurry);
  CHECK_FALSE(again.told_to_hurry);
  CHECK(all.all().front().hurried);
  const auto next = all.report(40, {4, 704, 1}, 0);
  REQUIRE(next.told_to_hurry);
  CHECK(next.told_to_hurry->generation == 2);
  CHECK_FALSE(next.hurry);  // it is told when it reports itself
  CHECK(all.report(20, {2, 702, 1}, 0).hurry);
}

TEST_CASE("a connection that was cut is counted once, whatever a process repeats") {
  older_generations all{8};
  CHECK(all.report(10, {1, 701, 4}, 0).newly_cut == 0);
  CHECK(all.report(10, {1, 701, 1}, 3).newly_cut == 3);
  CHECK(all.report(10, {1, 701, 1}, 3).newly_cut == 0);
  CHECK(all.report(10, {1, 701, 1}, 2).newly_cut == 0);
  CHECK(all.report(10, {1, 701, 0}, 4).newly_cut == 1);
  CHECK(all.report(20, {2, 702, 0}, 3).newly_cut == 3);
}

TEST_CASE("a process that has ended is no longer listed, and makes room") {
  older_generations all{1};
  CHECK_FALSE(all.report(10, {1, 701, 1}, 0).hurry);
  const auto ended = all.closed(10);
  REQUIRE(ended);
  CHECK(ended->pid == 701);
  CHECK_FALSE(all.closed(10));
  CHECK_FALSE(all.report(20, {2, 702, 1}, 0).told_to_hurry);
  CHECK(all.all().size() == 1);
}
