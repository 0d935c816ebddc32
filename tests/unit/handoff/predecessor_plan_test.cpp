// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What an upgrade would start, and what would keep it from that.
#include "handoff/driver_fixture.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

/// The kinds of the obstacles, and the last message.
std::pair<std::vector<std::string>, std::string> obstacles(const graceful::upgrade_plan& plan) {
  std::pair<std::vector<std::string>, std::string> all;
  for (const auto& each : plan.obstacles) {
    all.first.push_back(each.kind);
    all.second = each.message;
  }
  return all;
}

using kinds = std::vector<std::string>;

}  // namespace

TEST_CASE("a plan has the server's own command, and the differences in its environment") {
  driver_fixture f;
  const auto plan = f.driver.plan({.environment = {{"KEPT", "1"}, {"NEW", "2"}}});
  CHECK(plan.program == "/bin/sh");
  CHECK(plan.arguments == kinds{"sh", "-c", "exit 0"});
  CHECK(plan.directory == "/");
  CHECK(plan.environment == std::map<std::string, std::string>{{"NEW", "2"}, {"PWD", "/"}});
  CHECK(plan.generation == 5);
  CHECK(plan.timeout == patience);
  CHECK(plan.obstacles.empty());
}

TEST_CASE("a plan finds the program of another command as execve(2) would") {
  driver_fixture f;
  const auto plan = f.driver.plan({.command = {"sh", "-x"}});
  CHECK(plan.program.ends_with("/sh"));
  CHECK(plan.arguments == kinds{"sh", "-x"});
}

TEST_CASE("a program that is missing is an obstacle, with what to do if it is the server's own") {
  driver_fixture f;
  const auto [other, message] = obstacles(f.driver.plan({.command = {"/no/such"}}));
  CHECK(other == kinds{"program"});
  CHECK(message.find("put the new build there") == std::string::npos);

  temporary_directory empty;
  driver_fixture lost{0ms, "", empty.path("server")};
  const auto [own, hint] = obstacles(lost.driver.plan({}));
  CHECK(own == kinds{"program"});
  CHECK(hint.ends_with("put the new build there, or name one: graceful-ctl upgrade -- COMMAND"));
}

TEST_CASE("a directory that cannot be entered hides whether the program is there") {
  driver_fixture f;
  const auto plan = f.driver.plan({.command = {"./server"}, .directory = "/no/such"});
  CHECK(obstacles(plan).first == kinds{"directory"});
}

TEST_CASE("an upgrade under way and an objection are obstacles, before all others") {
  driver_fixture f;
  f.objection = "the supervisor would not see it";
  const auto peer = f.take_over();
  const auto plan = f.driver.plan({.command = {"/no/such"}});
  CHECK(obstacles(plan).first == kinds{"busy", "supervisor", "program"});
  CHECK(plan.obstacles.at(1).message == *f.objection);
}

TEST_CASE("a program that cannot be started fails the upgrade, with what to do") {
  temporary_directory empty;
  driver_fixture f{0ms, "", empty.path("server")};
  f.driver.upgrade();
  CHECK_FALSE(f.driver.busy());
  CHECK(f.driver.last_failure().find("; put the new build there") != std::string::npos);
}
