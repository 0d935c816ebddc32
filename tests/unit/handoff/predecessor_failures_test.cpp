// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace graceful_test;
using state = predecessor_ladder::state;

namespace {

void check_next_upgrade_works(predecessor_ladder p) {
  CHECK(p.current() == state::serving);
  CHECK(p.machine.idle());
  CHECK(p.on(event::upgrade{"u"}) == "arm_timer; spawn(u)");
  CHECK(p.on(event::spawned{900}) == "report_spawned(900)");
  CHECK(p.on(begin(9, "u")) == "begun(9); report_begun");
  CHECK(p.on(fetch(9, 0)) == "batch(9, 0 + 3); report_passed");
  CHECK(p.on(event::ready{9}) ==
        "disarm_timer; acknowledge_ready(9); report_ready; arm_confirmation");
  CHECK(p.on(event::settle{9}) == "disarm_timer; stop_accepting; settled(9); report_committed");
}

predecessor_ladder spawned() {
  predecessor_ladder p;
  p.on(event::upgrade{"t"});
  p.on(event::spawned{812});
  return p;
}

/// A spawned successor in each stage between Begin and Ready.
std::vector<predecessor_ladder> passing() {
  auto begun = spawned();
  begun.on(begin(1, "t"));
  auto passed = begun;
  passed.on(fetch(1, 0));
  return {begun, passed};
}

/// The same, started by another process.
std::vector<predecessor_ladder> passing_to_stranger() {
  predecessor_ladder begun;
  begun.on(begin(1));
  auto passed = begun;
  passed.on(fetch(1, 0));
  return {begun, passed};
}

const std::string crashed = "the successor was killed by signal 11 (SIGSEGV) before it was ready";

const event::timeout one_second_over{.who = "the successor (pid 812)", .after = "1 s"};

std::string failed(const std::string& why) { return "disarm_timer; report_failed(" + why + ")"; }

}  // namespace

TEST_CASE("a successor that cannot be spawned costs nothing") {
  predecessor_ladder p;
  p.on(event::upgrade{"t"});
  CHECK(p.on(event::spawn_failed{"no such file"}) == failed("no such file"));
  check_next_upgrade_works(p);
}

TEST_CASE("a successor that ends before Begin costs nothing") {
  auto p = spawned();
  CHECK(p.on(event::exited{"exited with status 3"}) ==
        failed("the successor exited with status 3 before it connected"));
  check_next_upgrade_works(p);
}

TEST_CASE("a successor that ends before Ready costs nothing, if its exit is noticed first") {
  for (auto p : passing()) {
    CHECK(p.on(event::exited{"was killed by signal 11 (SIGSEGV)"}).empty());
    CHECK(p.current() == state::passing);
    CHECK(p.on(event::closed{1}) == failed(crashed));
    check_next_upgrade_works(p);
  }
}

TEST_CASE(
    "a successor that ends before Ready costs nothing, if its connection's end is noticed first") {
  for (auto p : passing()) {
    CHECK(p.on(event::closed{1}).empty());
    CHECK(p.current() == state::ending);
    CHECK_FALSE(p.machine.is_successor(1));
    CHECK(p.on(event::exited{"was killed by signal 11 (SIGSEGV)"}) == failed(crashed));
    check_next_upgrade_works(p);
  }
}

TEST_CASE("the exit of a launcher does not end the upgrade of what it launched") {
  auto p = spawned();
  p.on(begin(1, "t"));
  CHECK(p.on(event::exited{"exited with status 0"}).empty());
  CHECK(p.on(fetch(1, 0)) == "batch(1, 0 + 3); report_passed");
  CHECK(p.on(event::ready{1}) ==
        "disarm_timer; acknowledge_ready(1); report_ready; arm_confirmation");
}

TEST_CASE("the end of the connection of a successor that was not spawned ends its upgrade") {
  for (auto p : passing_to_stranger()) {
    CHECK(p.on(event::closed{1}) ==
          failed("the successor closed its connection before it was ready"));
    check_next_upgrade_works(p);
  }
}

TEST_CASE("a successor that does not connect in time is killed") {
  auto p = spawned();
  CHECK(p.on(one_second_over) == "kill");
  CHECK(p.current() == state::ending);
  CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
        failed("the successor (pid 812) had not connected within 1 s (does it make a "
               "graceful::upgrader?): it was killed"));
  check_next_upgrade_works(p);
}

TEST_CASE("a successor that is not ready in time is told, and killed") {
  const std::string late =
      "the successor (pid 812) had connected, but had not called ready() within 1 s: it was killed";
  for (auto p : passing()) {
    CHECK(p.on(one_second_over) == "abort(1: " + late + "); kill");
    CHECK_FALSE(p.machine.is_successor(1));
    CHECK(p.on(event::closed{1}).empty());
    CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
    CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) == failed(late));
    check_next_upgrade_works(p);
  }
}

TEST_CASE("a successor that was not spawned and is not ready in time is told, and left alone") {
  const std::string late =
      "the successor (pid 812) had connected, but had not called ready() within 1 s";
  for (auto p : passing_to_stranger()) {
    CHECK(p.on(one_second_over) == "abort(1: " + late + "); " + failed(late));
    CHECK(p.on(event::closed{1}).empty());
    check_next_upgrade_works(p);
  }
}

TEST_CASE("a successor that closed its connection and does not end is killed") {
  for (auto p : passing()) {
    p.on(event::closed{1});
    CHECK(p.on(event::timeout{}) == "kill");
    CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
          failed("the successor closed its connection but did not end"));
    check_next_upgrade_works(p);
  }
}

TEST_CASE("the reason of a successor that gives up is reported when the successor has ended") {
  for (auto p : passing()) {
    CHECK(p.on(fail(1, "no config")) == "acknowledge(1)");
    CHECK(p.current() == state::ending);
    CHECK(p.on(fail(1, "again")) == "refuse(1, out_of_order)");
    CHECK(p.on(event::closed{1}).empty());
    CHECK(p.on(event::exited{"exited with status 1"}) ==
          failed("the successor gave up: no config"));
    check_next_upgrade_works(p);
  }
}

TEST_CASE("a successor that only says that it ends is reported by how it has ended") {
  const std::string reason{graceful::wire::ended_before_ready};
  for (auto p : passing()) {
    CHECK(p.on(fail(1, reason)) == "acknowledge(1)");
    CHECK(p.on(event::closed{1}).empty());
    CHECK(p.on(event::exited{"exited with status 4"}) ==
          failed("the successor exited with status 4 before it was ready"));
    check_next_upgrade_works(p);
  }
  for (auto p : passing_to_stranger()) {
    CHECK(p.on(fail(1, reason)) ==
          "acknowledge(1); " + failed("the successor gave up: it ended before it was ready"));
    check_next_upgrade_works(p);
  }
}

TEST_CASE(
    "a program that exits with 0 and never connects is reported as possibly not one of ours") {
  auto p = spawned();
  CHECK(p.on(event::exited{"exited with status 0"}) ==
        failed("the successor exited with status 0 before it connected (does it make a "
               "graceful::upgrader?)"));
  check_next_upgrade_works(p);
}

TEST_CASE("a successor that gave up and does not end is killed") {
  for (auto p : passing()) {
    p.on(fail(1, "no config"));
    CHECK(p.on(event::timeout{}) == "kill");
    CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
          failed("the successor gave up: no config"));
    check_next_upgrade_works(p);
  }
}

TEST_CASE("a successor that was not spawned and gives up ends its upgrade at once") {
  for (auto p : passing_to_stranger()) {
    CHECK(p.on(fail(1, "no config")) ==
          "acknowledge(1); " + failed("the successor gave up: no config"));
    check_next_upgrade_works(p);
  }
}

TEST_CASE(
    "a spawned successor without a shared version ends the upgrade, and both versions are named") {
  for (const auto& versions : std::vector<std::vector<std::int64_t>>{{2}, {2, 7}, {}, {-1, 0}}) {
    auto p = spawned();
    CHECK(p.on(begin(1, "t", versions)) == "refuse(1, incompatible_version)");
    CHECK(p.current() == state::ending);
    const std::string result = p.on(event::exited{"exited with status 1"});
    CHECK(result.starts_with("disarm_timer; report_failed("));
    for (const auto version : versions) {
      CHECK(result.find(' ' + std::to_string(version)) != result.npos);
    }
    CHECK(result.find("the predecessor version 1") != result.npos);
    check_next_upgrade_works(p);
  }
}

TEST_CASE(
    "a successor that was not spawned and shares no version is refused, and no upgrade begins") {
  predecessor_ladder p;
  CHECK(p.on(begin(1, "", {2})) == "refuse(1, incompatible_version)");
  CHECK(p.on(event::closed{1}).empty());
  check_next_upgrade_works(p);
}

TEST_CASE("a successor that offers several versions is accepted if one is shared") {
  predecessor_ladder p;
  CHECK(p.on(begin(1, "", {3, 2, 1})) == "arm_timer; begun(1); report_begun");
}

TEST_CASE("while a failed successor ends no other can begin") {
  auto p = spawned();
  p.on(begin(1, "t"));
  p.on(event::closed{1});
  CHECK(p.on(begin(2)) == "refuse(2, busy)");
  CHECK(p.on(begin(2, "t")) == "refuse(2, not_expected)");
  CHECK(p.on(event::upgrade{"u"}).empty());
  CHECK(p.current() == state::ending);
}

TEST_CASE("a shutdown ends the upgrade under way, and its successor") {
  SUBCASE("while serving there is nothing to end") {
    predecessor_ladder p;
    CHECK(p.on(event::shutdown{}).empty());
    check_next_upgrade_works(p);
  }
  SUBCASE("before Begin") {
    auto p = spawned();
    CHECK(p.on(event::shutdown{}) == "kill");
    CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
          failed("the server was told to end"));
  }
  SUBCASE("after Begin") {
    for (auto p : passing()) {
      CHECK(p.on(event::shutdown{}) == "abort(1: the server was told to end); kill");
    }
  }
  SUBCASE("a successor that was not spawned is told") {
    for (auto p : passing_to_stranger()) {
      CHECK(p.on(event::shutdown{}) ==
            "abort(1: the server was told to end); " + failed("the server was told to end"));
    }
  }
}

TEST_CASE("a late event of an upgrade that is over changes nothing") {
  auto p = spawned();
  p.on(event::exited{"exited with status 3"});
  CHECK(p.on(event::timeout{}).empty());
  CHECK(p.on(event::spawned{812}).empty());
  CHECK(p.on(event::spawn_failed{"late"}).empty());
  CHECK(p.on(event::closed{1}).empty());
  check_next_upgrade_works(p);
}
