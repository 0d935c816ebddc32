// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "on_probation.hpp"
#include "server_fixture.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <string>

#include <signal.h>

using namespace graceful_test;

TEST_CASE("a monitor sees an upgrade, follows to the new process, and ends with the server") {
  for (const bool json : {false, true}) {
    server_fixture s;
    std::vector<std::string> command{"monitor", s.control()};
    if (json) command.emplace_back("--json");
    process& monitor = s.start_ctl(command);
    REQUIRE(monitor.wait_for_output("the server is serving", patience));
    REQUIRE(s.upgrade().status == "exited 0");
    for (const char* message : {"upgrade: spawned pid ", "upgrade: generation 2 has connected",
                                "upgrade: 1 socket passed", "upgrade: generation 2 serves",
                                "upgrade: generation 2 has taken over", "another process serves"}) {
      CAPTURE(message);
      CHECK(monitor.wait_for_output(message, patience));
    }
    const auto second = std::to_string(s.pid());
    REQUIRE(monitor.wait_for_output(
        json ? R"("message":"the server is serving","generation":2,"pid":)" + second
             : "generation 2, pid " + second + "  the server is serving",
        patience));
    CHECK(s.upgrade({"--", "/bin/false"}).status == "exited 1");
    CHECK(monitor.wait_for_output("upgrade failed: the successor exited with status 1", patience));
    CHECK(s.ctl({"drain", s.control()}).status == "exited 0");
    CHECK(monitor.wait_exit(patience).exited(0));
    const auto said = monitor.output();
    CHECK(contains(said, "this process drains, and ends"));
    CHECK(contains(said, R"("event":"ready")") == json);
    CHECK(contains(said, R"("event":"ended")") == json);
  }
}

TEST_CASE("a monitor of a killed server says that no server answers") {
  server_fixture s;
  process& monitor = s.start_ctl({"monitor", s.control()});
  REQUIRE(monitor.wait_for_output("the server is serving", patience));
  s.server().signal(SIGKILL);
  CHECK(monitor.wait_exit(patience).exited(7));
}

TEST_CASE("a monitor says in words that an upgrade is in its probation") {
  on_probation p;
  process& monitor = p.s.start_ctl({"monitor", p.s.control()});
  REQUIRE(monitor.wait_for_output("the server is ", patience));
  CHECK(monitor.wait_for_output("the server is in the probation of an upgrade\n", patience));
}

TEST_CASE("Monitor without \"more\" is refused") {
  server_fixture s;
  auto peer = varlink_peer::connect(s.control());
  REQUIRE(peer.send(R"({"method":"io.graceful.Control.Monitor","parameters":{}})"));
  CHECK(contains(peer.receive(patience).value_or(""), "ExpectedMore"));
}

TEST_CASE(
    "a monitor that connects before the handover and asks after it is sent to the new process") {
  server_fixture s;
  auto peer = varlink_peer::connect(s.control());
  auto held = s.hold();  // keeps the old process
  REQUIRE(s.upgrade().status == "exited 0");
  REQUIRE(peer.send(R"({"method":"io.graceful.Control.Monitor","parameters":{},"more":true})"));
  CHECK(contains(peer.receive(patience).value_or(""), "the server is draining"));
  const auto last = peer.receive(patience).value_or("");
  CHECK(contains(last, R"("event":"handed_over")"));
  CHECK_FALSE(contains(last, R"("continues":true)"));
  CHECK(s.server().running());
}
