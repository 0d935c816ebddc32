// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"
#include "on_probation.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

/// A successor dies in its probation: only its own connections are lost, and its predecessor
/// resumes.
void successor_dies(std::vector<std::string> arguments, int signal, const std::string& reason) {
  on_probation p{std::move(arguments)};
  REQUIRE(send_signal(p.successor, signal));
  p.rolled_back(reason);
  p.serves(1, killed::successor);
}

}  // namespace

TEST_CASE("in probation the predecessor waits, answers, and says what can be done") {
  on_probation p;
  const auto status = p.s.status().out;
  CHECK(contains(status, "generation 1, pid "));
  CHECK(contains(status, ", in probation,"));
  CHECK(contains(status, "serves, in probation: graceful-ctl commit, graceful-ctl rollback"));
  CHECK(serves_alone(2, p.s));
  const auto busy = p.s.upgrade();
  CHECK(busy.status == "exited 75");
  CHECK(contains(busy.all, "generation 2 is in probation for another "));
  CHECK(contains(busy.all, "graceful-ctl commit, graceful-ctl rollback"));
  CHECK(p.s.ctl({"abort", p.s.control()}).status == "exited 1");
  CHECK(p.s.ctl({"drain", p.s.control()}).status == "exited 75");
  REQUIRE(send_signal(p.successor, SIGUSR2));
  CHECK(p.s.server().wait_for_output("SIGUSR2: no upgrade: this process is in its probation",
                                     patience));
  CHECK(p.s.ctl({"commit", p.s.control()}).status == "exited 0");
  CHECK(p.ctl->wait_exit(patience).exited(0));
  p.serves(2);
}

TEST_CASE("a probation that passes commits by itself, and the next upgrade can follow") {
  server_fixture s{{"--probation", "100ms"}};
  load clients{s.load_on(false)};
  for (int generation = 2; generation <= 4; ++generation) {
    const auto done = s.upgrade();
    INFO(done.all);
    CHECK(done.status == "exited 0");
    CHECK(contains(done.out, "committed: generation " + std::to_string(generation)));
    CHECK(s.generation() == generation);
  }
  CHECK(clients.stop().lost() == 0);
  CHECK(s.server().wait_exit(patience).exited(0));
}

TEST_CASE("an order that is carried out answers a program with an empty object") {
  server_fixture s{{"--probation", "1min"}};
  for (const char* order : {"rollback", "commit"}) {
    REQUIRE(s.upgrade({"--until", "ready"}).status == "exited 0");
    const auto carried_out = s.ctl({order, s.control(), "--json"});
    CHECK(carried_out.status == "exited 0");
    CHECK(carried_out.out == "{}\n");
    const auto refused = s.ctl({order, s.control(), "--json"});
    CHECK(refused.status == "exited 1");
    CHECK(refused.out.empty());
  }
}

TEST_CASE(
    "--until ready returns in the probation, --until drained when the old process has ended") {
  server_fixture s{{"--probation", "1min"}};
  const auto ready = s.upgrade({"--until", "ready"});
  CHECK(ready.status == "exited 0");
  CHECK(contains(ready.out, "ready: generation 2"));
  CHECK_FALSE(contains(ready.out, "committed"));
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  CHECK(s.server().wait_exit(patience).exited(0));
  process& drained = s.start_upgrade({"--until", "drained"});
  REQUIRE(drained.wait_for_output("ready: generation 3", patience));
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  CHECK(drained.wait_exit(patience).exited(0));
  CHECK(contains(drained.output(), "the old process has ended"));
  CHECK_FALSE(contains(s.status().out, "drains"));
}

TEST_CASE("a successor that is killed in its probation loses only its own connections") {
  successor_dies({}, SIGKILL, "the successor was killed by signal 9 (SIGKILL) in its probation");
}

TEST_CASE("a successor that crashes in its probation loses only its own connections") {
  successor_dies({"--threads", "4"}, SIGSEGV,
                 "the successor was killed by signal 11 (SIGSEGV) in its probation");
}

TEST_CASE("a successor that exits with 0 in its probation is rolled back too") {
  server_fixture s{{"--probation", "1min"}};
  gate opening{s.scene()};
  load clients{s.load_on(false)};
  process& ctl = opening.start_upgrade(s);
  opening.open();
  REQUIRE(ctl.wait_for_output("ready: generation 2", patience));
  REQUIRE(clients.wait_for_generation(2, 20, patience));
  const auto successor = open_pidfd(spawned_pid(ctl));
  REQUIRE(send_signal(successor, SIGALRM));
  CHECK(ctl.wait_exit(patience).exited(1));
  CHECK(contains(ctl.output(), "rolled back: the successor exited with status 0 in its probation"));
  REQUIRE(clients.wait_for(50, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string(), s.scene().report());
  CHECK(seen.refused == 0);
  CHECK(seen.lost() <= static_cast<std::uint64_t>(http_load{}.connections));
  CHECK(s.generation() == 1);
}

TEST_CASE("a predecessor with a plain acceptor resumes too, on one thread and on four") {
  successor_dies({"--plain-acceptor"}, SIGKILL, "the successor was killed by signal 9");
  successor_dies({"--plain-acceptor", "--threads", "4"}, SIGKILL,
                 "the successor was killed by signal 9");
}

TEST_CASE(
    "a successor that ends in its probation makes its predecessor resume first: nothing is lost") {
  on_probation p;
  REQUIRE(send_signal(p.successor, SIGTERM));
  p.rolled_back("the successor was told to end");
  REQUIRE(wait_readable(p.successor.get(), patience));
  p.serves(1);
}

TEST_CASE("a rollback by an operator loses nothing, and the successor drains and ends") {
  on_probation p{{"--threads", "2"}};
  CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 0");
  p.rolled_back("an operator asked for it");
  CHECK(wait_readable(p.successor.get(), patience));
  const auto pid = std::to_string(spawned_pid(*p.ctl));
  CHECK(p.s.server().wait_for_output("generation 2 (pid " + pid + ") has ended", patience));
  p.serves(1);
  CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 1");
  CHECK(p.s.ctl({"commit", p.s.control()}).status == "exited 1");
}

TEST_CASE("after a rollback the next upgrade works, with a plain acceptor too") {
  for (const char* acceptor : {"--probation", "--plain-acceptor"}) {
    const bool plain = std::string{acceptor} == "--plain-acceptor";
    on_probation p{plain ? std::vector<std::string>{acceptor} : std::vector<std::string>{}};
    CHECK(p.s.ctl({"rollback", p.s.control()}).status == "exited 0");
    p.rolled_back("an operator asked for it");
    REQUIRE(wait_readable(p.successor.get(), patience));
    CHECK(p.s.upgrade({"--until", "ready"}).status == "exited 0");
    CHECK(p.s.ctl({"commit", p.s.control()}).status == "exited 0");
    p.serves(2);
    CHECK(p.s.server().wait_exit(patience).exited(0));
  }
}

TEST_CASE("a predecessor that is killed in the probation leaves a successor that serves for good") {
  on_probation p;
  p.s.server().signal(SIGKILL);
  REQUIRE(p.s.server().wait_exit(patience));
  CHECK(p.ctl->wait_exit(patience).exited(0));  // it has asked which process serves
  CHECK(p.s.generation() == 2);
  p.serves(2, killed::predecessor);
}

TEST_CASE("a predecessor that is told to end in the probation commits") {
  on_probation p;
  p.s.server().signal(SIGTERM);
  CHECK(p.s.server().wait_exit(patience).exited(0));
  CHECK(p.ctl->wait_exit(patience).exited(0));
  CHECK(p.s.generation() == 2);
  p.serves(2);
}

TEST_CASE("if both are told to end in a probation, both end, and nobody is reset") {
  on_probation p;
  // The predecessor first: it commits, and the successor cannot go back to it.
  p.s.server().signal(SIGTERM);
  REQUIRE(p.s.server().wait_for_output("has taken over", patience));
  REQUIRE(send_signal(p.successor, SIGTERM));
  CHECK(p.s.server().wait_exit(patience).exited(0));
  CHECK(wait_readable(p.successor.get(), patience));
  const auto seen = p.at_work.connecting.stop();
  INFO(seen.to_string(), p.s.scene().report());
  CHECK(seen.reset == 0);
  CHECK(seen.cut_short == 0);
}

TEST_CASE("a successor that was told to end, and whose predecessor dies before it answers, ends") {
  on_probation p;
  REQUIRE(p.s.server().stop());
  REQUIRE(send_signal(p.successor, SIGTERM));
  REQUIRE(p.s.server().wait_for_output("this process drains, and ends", patience));
  p.s.server().signal(SIGKILL);
  REQUIRE(p.s.server().wait_exit(patience));
  CHECK(wait_readable(p.successor.get(), patience));
}

TEST_CASE("a successor that is told twice to end does not wait for a predecessor that hangs") {
  on_probation p;
  REQUIRE(p.s.server().stop());
  REQUIRE(send_signal(p.successor, SIGTERM));
  REQUIRE(p.s.server().wait_for_output("this process drains, and ends", patience));
  REQUIRE(send_signal(p.successor, SIGTERM));
  CHECK(wait_readable(p.successor.get(), patience));
  // It waits 2 s for that if it is told once.
  CHECK_FALSE(contains(p.s.server().output(), "does not say whether it serves again"));
  p.s.server().signal(SIGCONT);
  REQUIRE(p.s.server().wait_for_output("this process keeps serving", patience));
  p.serves(1, killed::successor);
}

TEST_CASE("a successor that is killed just after its commit is not rolled back") {
  server_fixture s{{"--probation", "0"}};
  REQUIRE(s.upgrade().status == "exited 0");
  const auto successor = open_pidfd(s.pid());
  REQUIRE(send_signal(successor, SIGKILL));
  REQUIRE(wait_readable(successor.get(), patience));
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(s.status().status == "exited 7");
}
