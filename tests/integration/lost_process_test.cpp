// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Processes that hang, or of whose end nobody has heard yet, in the middle of an upgrade.
#include "gate.hpp"
#include "on_probation.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include <signal.h>

using namespace graceful_test;

namespace {

/// A server can be started in place of the one that was lost.
void can_be_started(server_fixture& s) {
  process& fresh = s.scene().start(s.command());
  REQUIRE(fresh.wait_for_output("ready: generation 1 ", patience));
  fresh.signal(SIGTERM);
  CHECK(fresh.wait_exit(patience).exited(0));
}

}  // namespace

TEST_CASE("a successor that hangs at the end of its probation is rolled back, not committed") {
  on_probation p;
  REQUIRE(send_signal(p.successor, SIGSTOP));
  const auto commit = p.s.ctl({"commit", p.s.control(), "--timeout", "30"});
  CHECK(commit.status == "exited 1");
  CHECK(contains(commit.all, "the successor did not answer at the end of its probation"));
  p.rolled_back("the successor did not answer at the end of its probation");
  CHECK(wait_readable(p.successor.get(), patience));
  p.serves(1, killed::successor);
}

TEST_CASE("a rolled-back successor that hangs is killed when the time for its drain is over") {
  on_probation p{{"--drain", "200ms"}};
  REQUIRE(send_signal(p.successor, SIGSTOP));
  CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 0");
  p.rolled_back("an operator asked for it");
  CHECK(wait_readable(p.successor.get(), patience));
  CHECK(p.s.server().wait_for_output("which was rolled back, was killed by signal 9 (SIGKILL)",
                                     patience));
  p.serves(1, killed::successor);
}

TEST_CASE("a successor whose death has not been noticed yet is not committed") {
  on_probation p;
  REQUIRE(p.s.server().stop());
  REQUIRE(send_signal(p.successor, SIGKILL));
  REQUIRE(wait_readable(p.successor.get(), patience));
  // The signal and the death are noticed at the same moment.
  p.s.server().signal(SIGTERM);
  p.s.server().signal(SIGCONT);
  CHECK(p.s.server().wait_exit(patience).exited(0));
  CHECK(contains(p.s.server().output(), "rolled back: the successor"));
  CHECK_FALSE(contains(p.s.server().output(), "has taken over"));
  const auto seen = p.at_work.connecting.stop();
  INFO(seen.to_string(), p.s.scene().report());
  CHECK(seen.cut_short + seen.reset <= 8);
}

TEST_CASE(
    "a successor that was told to end in its probation does not block the path while it drains") {
  on_probation p;
  const auto held = p.s.hold();
  REQUIRE(send_signal(p.successor, SIGTERM));
  p.rolled_back("the successor was told to end");
  p.at_work.stop();
  p.s.server().signal(SIGKILL);
  REQUIRE(p.s.server().wait_exit(patience));
  CHECK_FALSE(wait_readable(p.successor.get(), std::chrono::seconds{0}));
  CHECK(p.s.status().status == "exited 7");
  can_be_started(p.s);
}

TEST_CASE(
    "a successor that was given up lets go of everything, even if its application cannot end yet") {
  server_fixture s{{"--ready-timeout", "3s"}};
  gate never{s.scene()};
  process& late = s.scene().start(never.server(s.control(), s.port()),
                                  {.environment = {{"GRACEFUL_TAKEOVER", "1"}}});
  REQUIRE(late.wait_for_output("gate: initialising", patience));
  REQUIRE(s.server().wait_for_output("had not called ready() within 3 s", patience));
  REQUIRE(late.wait_for_output("this process has to end", patience));
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  can_be_started(s);
  load clients{s.load_on(false)};
  REQUIRE(clients.wait_for_lost(1, patience));
  CHECK(clients.stop().refused > 0);  // no client waits in a queue that no loop empties
  REQUIRE(late.running());
  never.open();
  CHECK(late.wait_exit(patience).exited(1));
}

TEST_CASE("calls that wait behind an upgrade cannot delay the end of the server") {
  server_fixture s{{"--probation", "1min", "--drain", "1s"}};
  auto peer = varlink_peer::connect(s.control());
  REQUIRE(peer.send(R"({"method":"io.graceful.Control.Upgrade","parameters":{},"more":true})"));
  REQUIRE(peer.send(R"({"method":"io.graceful.Control.Drain","parameters":{},"more":true})"));
  REQUIRE(s.server().wait_for_output("ready: generation 2", patience));
  s.server().signal(SIGTERM);
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(s.generation() == 2);
}

TEST_CASE("another process's takeover in a probation changes nothing, not even the offer") {
  gated_site g{{}, {"60000"}};
  g.open();
  process& ctl = g.start_ctl({"upgrade"});
  g.opening.open();
  REQUIRE(ctl.wait_for_output("ready: generation 2", patience));
  auto stranger = varlink_peer::connect(g.control);
  REQUIRE(stranger.send(R"({"method":"io.graceful.Handoff.Begin","parameters":{"versions":[1]}})"));
  const auto answer = stranger.receive(patience);
  REQUIRE(answer);
  CHECK(contains(*answer, "Busy"));
  g.server.signal(SIGUSR1);
  CHECK(g.server.wait_for_output("gate: cannot listen", patience));
  CHECK(g.ctl({"commit"}).status == "exited 0");
  CHECK(g.server.wait_for_output("gate: drains", patience));
}

TEST_CASE("without a probation a successor that is lost before it asks to settle costs nothing") {
  server_fixture s{{"--probation", "0"}};
  load clients{s.load_on(false)};
  {
    auto successor = varlink_peer::connect(s.control());
    for (const char* call : {"Begin\",\"parameters\":{\"versions\":[1]}",
                             "Fetch\",\"parameters\":{\"first\":0}", "Ready\",\"parameters\":{}"}) {
      REQUIRE(successor.send(std::string{R"({"method":"io.graceful.Handoff.)"} + call + "}"));
      const auto answer = successor.receive(patience);
      REQUIRE(answer);
      CHECK_FALSE(contains(*answer, "\"error\""));
    }
    // Both are alive, and the connection ends.
  }
  REQUIRE(s.server().wait_for_output(
      "rolled back: the successor closed its connection before it was committed", patience));
  CHECK(s.generation() == 1);
  REQUIRE(clients.wait_for(50, patience));
  CHECK(s.upgrade().status == "exited 0");
  REQUIRE(clients.wait_for_generation(2, 20, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string(), s.scene().report());
  CHECK(seen.lost() == 0);
}

TEST_CASE("a listener that the successor does not take is served until the commit") {
  for (const bool probation : {true, false}) {
    server_fixture s{{"--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--probation",
                      probation ? "1min" : "0"}};
    auto options = s.load_on(false);
    options.port = s.port(1);
    load clients{options};
    REQUIRE(clients.wait_for(50, patience));
    auto command = s.command();
    const auto second = std::find(command.rbegin(), command.rend(), "--listen").base();
    command.erase(second - 1, second + 1);
    REQUIRE(s.upgrade(joined({"--until", "ready"}, behind_dashes(command))).status == "exited 0");
    if (probation) {
      REQUIRE(clients.wait_for(50, patience));
      CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
    }
    CHECK(s.server().wait_exit(patience).exited(0));
    const auto seen = clients.stop();
    INFO(seen.to_string(), s.scene().report());
    CHECK(seen.reset == 0);
    CHECK(seen.cut_short == 0);
    CHECK(seen.by_generation.size() == 1);
  }
}
