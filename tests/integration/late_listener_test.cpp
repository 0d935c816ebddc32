// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Servers that listen after ready(), in a coroutine, say; or not at all; or do not serve.
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

std::vector<std::string> later(const char* shape, const char* probation) {
  return {"--later", shape, "--probation", probation};
}

/// The old process keeps serving, and no client was lost.
void check_rolled_back(const char* shape, const char* probation, const std::string& why) {
  CAPTURE(shape);
  CAPTURE(probation);
  auto s = shaped("open", later(shape, probation));
  load clients{s.load_on(false)};
  REQUIRE(clients.wait_for(100, patience));
  const auto done = s.upgrade({"--timeout", "5"});
  INFO(s.scene().report());
  CHECK(done.status == "exited 1");
  CHECK(contains(done.all, why));
  REQUIRE(clients.wait_for(100, patience));
  const auto seen = clients.stop();
  CHECK(seen.lost() == 0);
  CHECK(seen.refused == 0);
  CHECK(s.generation() == 1);
}

}  // namespace

TEST_CASE("a server that listens in a coroutine, after ready(), is upgraded without a loss") {
  for (const char* probation : {"0", "300ms"}) {
    for (const char* shape : {"late", "late-plain"}) {
      CAPTURE(probation);
      CAPTURE(shape);
      auto s = shaped("ends", later(shape, probation));
      load clients{s.load_on(false)};
      REQUIRE(clients.wait_for(100, patience));
      for (std::uint64_t generation : {2, 3}) {
        const auto done = s.upgrade();
        INFO(s.scene().report());
        REQUIRE(done.status == "exited 0");
        CHECK_FALSE(contains(done.all, "nobody listens"));
        REQUIRE(clients.wait_for_generation(generation, 100, patience));
      }
      const auto seen = clients.stop();
      CHECK(seen.lost() == 0);
      CHECK(seen.refused == 0);
      CHECK(s.server().wait_exit(patience).exited(0));
    }
  }
}

TEST_CASE(
    "a predecessor that is told to end leaves a listener open that its successor claims late") {
  auto s = shaped("ends", later("late", "1min"));
  load clients{s.load_on(false)};
  REQUIRE(clients.wait_for(100, patience));
  process& ctl = s.start_upgrade();
  REQUIRE(ctl.wait_for_output("ready", patience));
  REQUIRE(clients.wait_for_generation(2, 100, patience));
  s.server().signal(SIGTERM);
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(ctl.wait_exit(patience).exited(0));
  INFO(s.scene().report());
  CHECK(s.generation() == 2);
  REQUIRE(clients.wait_for_generation(2, 300, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  CHECK(seen.refused == 0);
}

TEST_CASE("a successor that listens on nothing is rolled back, and the reason says so") {
  check_rolled_back("nothing", "0", "it has called listen for none of the sockets it was handed");
  check_rolled_back("nothing", "200ms",
                    "it has called listen for none of the sockets it was handed");
}

TEST_CASE("a successor whose threads hang is rolled back, and the reason says so") {
  check_rolled_back("hangs", "0", "its threads do not answer");
  check_rolled_back("hangs", "200ms", "its threads do not answer");
}

TEST_CASE("a process learns whether it stays") {
  auto s = shaped("ends", {"--probation", "1min"});
  CHECK(s.server().wait_for_output("commit: Success", patience));
  process& ctl = s.start_upgrade();
  REQUIRE(ctl.wait_for_output("ready", patience));
  const auto text = s.server().output();
  CHECK_FALSE(contains(text.substr(text.find("commit: Success") + 1), "commit: "));
  REQUIRE(s.ctl({"rollback", s.control()}).status == "exited 0");
  CHECK(s.server().wait_for_output("commit: the upgrade failed", patience));
}
