// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/census.hpp>

#include "clients.hpp"
#include "gate.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

std::vector<std::string> rogue(server_fixture& s, const std::string& mode) {
  return joined(programs::python("rogue_successor.py"), {mode, "--control", s.control()});
}

/// Makes an upgrade fail under load. Nothing may be lost, everything must be as before, and the
/// next upgrade must work.
void fails_and_costs_nothing(
    const std::vector<std::string>& options,
    const std::function<std::vector<std::string>(server_fixture&)>& command,
    const std::string& says) {
  server_fixture s{{"--threads", "2", "--ready-timeout", "1min"}};
  const auto before = s.at_rest();
  clients at_work{s};
  at_work.go_on(20);

  const auto done = s.upgrade(joined(options, behind_dashes(command(s))));
  INFO(done.all, s.scene().report());
  CHECK(done.status == "exited 1");
  CHECK(contains(done.all, says));
  CHECK(contains(done.all, "the old process keeps serving"));

  at_work.go_on(20);
  CHECK(s.generation() == 1);
  const auto seen = at_work.stop();
  CHECK(seen.lost() == 0);
  CHECK(seen.kept.by_generation.size() == 1);
  CHECK(seen.connecting.by_generation.size() == 1);
  INFO(take_census(s.server().pid()).to_string(), "before:\n", before.to_string());
  CHECK(wait_for_census(s.server().pid(), before, patience));
  CHECK(s.upgrade().status == "exited 0");
  CHECK(s.generation() == 2);
}

void rogue_fails(const std::string& mode, const std::string& says,
                 const std::vector<std::string>& options = {}) {
  fails_and_costs_nothing(
      options, [&](server_fixture& s) { return rogue(s, mode); }, says);
}

}  // namespace

TEST_CASE("a successor that cannot be executed costs nothing") {
  fails_and_costs_nothing(
      {}, [](server_fixture&) { return std::vector<std::string>{"/no/such/program"}; },
      "cannot execute /no/such/program");
}

TEST_CASE("a successor that exits at once costs nothing") {
  rogue_fails("exit-at-once", "the successor exited with status 3 before it connected");
}

TEST_CASE("a successor that crashes at its start costs nothing") {
  rogue_fails("crash-at-start",
              "the successor was killed by signal 11 (SIGSEGV) before it connected");
}

TEST_CASE("a successor that crashes after Begin costs nothing") {
  rogue_fails("crash-after-begin",
              "the successor was killed by signal 11 (SIGSEGV) before it was ready");
}

TEST_CASE("a successor that crashes before Ready costs nothing") {
  rogue_fails("crash-before-ready",
              "the successor was killed by signal 11 (SIGSEGV) before it was ready");
}

TEST_CASE("a successor that hangs before it connects is killed and costs nothing") {
  rogue_fails("hang-before-begin", "had not connected within 500 ms", {"--timeout", "0.5"});
}

TEST_CASE("a successor that hangs with every socket in hand is killed and costs nothing") {
  // Long enough to connect, however slow the machine is.
  rogue_fails("hang-before-ready",
              ") had connected, but had not called ready() within 5 s: it was killed",
              {"--timeout", "5"});
}

TEST_CASE("a successor of another protocol version is refused, and both versions are named") {
  rogue_fails("wrong-version",
              "the successor speaks version 99 of the handoff protocol, the predecessor version 1");
}

TEST_CASE("a successor that asks for sockets that are not on offer costs nothing") {
  rogue_fails("not-on-offer", "the successor exited with status 1 before it was ready");
}

TEST_CASE("a successor that calls out of order costs nothing") {
  rogue_fails("out-of-order", "the successor exited with status 1 before it connected");
}

TEST_CASE("a successor that reported ready and then died is not believed") {
  server_fixture s;
  process& ctl = s.start_upgrade(behind_dashes(rogue(s, "die-with-ready")));
  REQUIRE(s.server().wait_for_output("rogue: waits", patience));
  REQUIRE(ctl.wait_for_output("passed", patience));
  const auto successor = open_pidfd(spawned_pid(ctl));
  REQUIRE(successor);
  // The predecessor finds the call and the end of its sender at once.
  REQUIRE(s.server().stop());
  REQUIRE(send_signal(successor, SIGUSR1));
  REQUIRE(wait_readable(successor.get(), patience));
  s.server().signal(SIGCONT);
  const auto end = ctl.wait_exit(patience);
  REQUIRE(end);
  INFO(s.scene().report());
  CHECK(end.exited(1));
  CHECK(contains(ctl.output(), "killed by signal 9 (SIGKILL) before it was ready"));
  CHECK(s.generation() == 1);
  load clients{s.load_on(false)};
  CHECK(clients.wait_for_generation(1, 20, patience));
  CHECK(clients.stop().lost() == 0);
}

TEST_CASE("a listener cannot be added while sockets are handed over, but can be later") {
  gated_site g;
  g.open();
  process& first = g.start_ctl({"upgrade"});
  REQUIRE(first.wait_for_output("1 socket passed", patience));
  g.server.signal(SIGUSR1);
  REQUIRE(g.server.wait_for_output("gate: cannot listen: the sockets are being handed", patience));
  const auto successor = open_pidfd(spawned_pid(first));
  REQUIRE(send_signal(successor, SIGKILL));
  REQUIRE(first.wait_exit(patience).exited(1));
  g.server.signal(SIGUSR1);
  REQUIRE(g.server.wait_for_output("gate: added late1", patience));
  process& second = g.start_ctl({"upgrade"});
  CHECK(second.wait_for_output("2 sockets passed", patience));
  g.opening.open();
  CHECK(second.wait_exit(patience).exited(0));
}

TEST_CASE("the reason of a successor that gives up is quoted") {
  rogue_fails("fail", "the successor gave up: database schema is too new");
}

TEST_CASE("a successor whose own listener cannot be bound costs nothing") {
  fails_and_costs_nothing(
      {},
      [](server_fixture& s) {
        // A documentation address (RFC 5737), which no machine has.
        return joined(s.command(), {"--listen", "192.0.2.1:1"});
      },
      "192.0.2.1:1");
}

TEST_CASE("a second upgrade is told that one is under way, and does not disturb it") {
  server_fixture s;
  process& first =
      s.start_upgrade(joined({"--timeout", "60"}, behind_dashes(rogue(s, "hang-before-ready"))));
  REQUIRE(first.wait_for_output("passed", patience));
  CHECK(contains(s.status().out, "upgrading"));
  const auto second = s.upgrade();
  CHECK(second.status == "exited 75");
  CHECK(contains(second.all, "an upgrade is under way (successor pid "));
  CHECK(first.running());
}

TEST_CASE("an upgrade goes on without the operator who asked for it") {
  server_fixture s;
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  REQUIRE(ctl.wait_for_output("passed", patience));
  ctl.signal(SIGINT);
  const auto end = ctl.wait_exit(patience);
  REQUIRE(end);
  CHECK(end.exited(130));
  CHECK(contains(ctl.output(), "what was begun goes on"));
  opening.open();
  CHECK(s.server().wait_for_output("generation 2 serves", patience));
}

TEST_CASE("a successor that has every socket serves when its predecessor is killed before Ready") {
  server_fixture s;
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  REQUIRE(s.server().wait_for_output("gate: initialising", patience));
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  opening.open();
  REQUIRE(s.server().wait_for_output("generation 2 serves", patience));
  CHECK(ctl.wait_exit(patience).exited(0));  // it has asked which process serves
  load clients{s.load_on(false)};
  CHECK(clients.wait_for_generation(2, 20, patience));
  CHECK(clients.stop().lost() == 0);
  CHECK(s.upgrade({"--", "/bin/false"}).status == "exited 1");  // it is a full predecessor
}
