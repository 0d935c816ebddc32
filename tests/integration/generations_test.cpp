// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Upgrades that follow one another while older generations drain.
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

/// Watches the other end of the control socket, line by line.
process& watch(server_fixture& s) {
  process& monitor = s.start_ctl({"monitor", s.control()});
  REQUIRE(monitor.wait_for_output("the server is serving", patience));
  return monitor;
}

}  // namespace

TEST_CASE("ten upgrades in a row: each generation finishes the requests that it has begun") {
  server_fixture s;
  auto few = s.load_on(false);
  few.connections = 2;
  load clients{few};
  std::vector<http_connection> held;
  for (int generation = 2; generation <= 11; ++generation) {
    held.push_back(s.hold());
    REQUIRE(s.upgrade().status == "exited 0");
    REQUIRE(s.generation() == generation);
    // The eighth draining process is the last that need not hurry.
    if (generation == 9) {
      for (int older = 1; older < generation; ++older) {
        CHECK(s.status_comes_to_say("generation " + std::to_string(older) + ", pid "));
      }
      CHECK(s.status_comes_to_say("drains, 1 connection left"));
      CHECK_FALSE(contains(s.status().out, "told to cut them"));
      // Not even processes to which they no longer report may say so.
      CHECK_FALSE(contains(s.server().output(), "has ended"));
      for (auto& each : held) {
        const auto response = each.exchange("Host: test\r\n\r\n");
        CHECK(response.generation == static_cast<std::uint64_t>(&each - held.data()) + 1);
      }
      held.clear();
    }
  }
  for (auto& each : held) {
    CHECK(each.exchange("Host: test\r\n\r\n").generation ==
          static_cast<std::uint64_t>(&each - held.data()) + 9);
  }
  held.clear();
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  CHECK(s.server().wait_exit(patience).exited(0));
}

TEST_CASE("beyond the cap the oldest generation cuts its connections, and every process says so") {
  server_fixture s{{"--max-draining", "2"}};
  std::vector<http_connection> held;
  for (int generation = 2; generation <= 4; ++generation) {
    held.push_back(s.hold());
    REQUIRE(s.upgrade().status == "exited 0");
  }
  CHECK(s.server().wait_exit(patience).exited(0));
  const auto said = s.server().output();
  CHECK(contains(said, "is told to cut its connections: more than 2 generations drain"));
  CHECK(contains(said, "too many generations drain: the connections of this one are cut"));
  CHECK(held.at(1).exchange("Host: test\r\n\r\n").generation == 2);
  CHECK(held.at(2).exchange("Host: test\r\n\r\n").generation == 3);
}

TEST_CASE("the death of a generation in the middle does not hide an older one") {
  server_fixture s;
  const auto first = s.hold();
  REQUIRE(s.upgrade().status == "exited 0");
  const auto middle = open_pidfd(s.pid());
  const auto second = s.hold();
  REQUIRE(s.upgrade().status == "exited 0");
  CHECK(s.status_comes_to_say("generation 2, pid "));
  process& monitor = watch(s);
  REQUIRE(send_signal(middle, SIGKILL));
  REQUIRE(monitor.wait_for_output("has ended", patience));
  CHECK(s.status_comes_to_say("generation 1, pid " + std::to_string(s.server().pid()) +
                              ", drains, 1 connection left"));
  CHECK_FALSE(contains(s.status().out, "generation 2, pid "));
}

TEST_CASE("a generation that was rolled back and drains is listed too") {
  server_fixture s{{"--probation", "1min"}};
  REQUIRE(s.upgrade({"--until", "ready"}).status == "exited 0");
  const auto held = hold_by(2, s.port());
  CHECK(s.ctl({"rollback", s.control()}).status == "exited 0");
  CHECK(s.status_comes_to_say("generation 2, pid "));
  CHECK(contains(s.status().out, "generation 1, pid "));
}
