// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What an upgrade may end with, where one side was written from docs/protocol.md.
#include "gate.hpp"
#include "relay.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

constexpr const char* a_minute = "1min";

/// A Python server that serves as generation 2, and gives its successors a minute of probation.
struct python_serves : relay {
  python_serves() {
    deployed(python({"--probation", a_minute}), 2);
    // Otherwise a client of generation 1 would reconnect to the next successor, and be lost with
    // it.
    REQUIRE(s.server().wait_exit(patience).exited(0));
  }
};

}  // namespace

TEST_CASE("a Python successor that is rolled back costs nothing, and drains") {
  relay r{{"--probation", a_minute}};
  r.on_probation(r.python(), 2);
  auto held = r.s.hold();
  CHECK(r.s.ctl({"rollback", r.s.control()}).status == "exited 0");
  CHECK(r.s.server().wait_for_output("interop: goes back: ", patience));
  r.rolled_back("", 1);
  CHECK(held.exchange("Host: test\r\n\r\n").generation == 2);
  CHECK(r.s.server().wait_for_output("interop: drained: generation 2", patience));
  r.costs();
  r.ends();
}

TEST_CASE("a Python successor that dies in its probation loses only its own connections") {
  relay r{{"--probation", a_minute}};
  REQUIRE(send_signal(open_pidfd(r.on_probation(r.python(), 2)), SIGKILL));
  r.rolled_back("the successor was killed by signal 9 (SIGKILL) in its probation", 1);
  r.costs(killed::successor);
  r.ends();
}

TEST_CASE("a Python successor stays if its predecessor dies") {
  relay r{{"--probation", a_minute}};
  r.on_probation(r.python(), 2);
  r.s.server().signal(SIGKILL);
  CHECK(r.s.server().wait_for_output("interop: committed: generation 2", patience));
  CHECK(r.s.generation() == 2);
  r.costs(killed::predecessor);
  r.ends();
}

TEST_CASE("a Python successor that is told to end in its probation asks for a rollback") {
  relay r{{"--probation", a_minute}};
  REQUIRE(send_signal(open_pidfd(r.on_probation(r.python(), 2)), SIGTERM));
  r.rolled_back("the successor was told to end", 1);
  r.costs();
  r.ends();
}

TEST_CASE("a predecessor that is told to end in a probation commits its Python successor") {
  relay r{{"--probation", a_minute}};
  r.on_probation(r.python(), 2);
  r.s.server().signal(SIGTERM);
  CHECK(r.upgrade->wait_exit(patience).exited(0));
  CHECK(r.s.server().wait_exit(patience).exited(0));
  CHECK(r.s.generation() == 2);
  r.costs();
  r.ends();
}

TEST_CASE("a Python predecessor that is told to end in a probation commits its successor") {
  python_serves r;
  r.on_probation(r.s.command(), 3);
  REQUIRE(send_signal(open_pidfd(r.s.pid()), SIGTERM));
  CHECK(r.upgrade->wait_exit(patience).exited(0));
  CHECK(r.s.server().wait_for_output("interop: drained: generation 2", patience));
  CHECK(r.s.generation() == 3);
  r.costs();
  r.ends();
}

TEST_CASE("an operator can commit a C++ successor that is in probation with a Python predecessor") {
  python_serves r;
  r.on_probation(r.s.command(), 3);
  CHECK(contains(r.s.status().out, "serves, in probation"));
  CHECK(r.s.upgrade().status == "exited 75");
  CHECK(r.s.ctl({"commit", r.s.control()}).status == "exited 0");
  CHECK(r.upgrade->wait_exit(patience).exited(0));
  CHECK(r.s.server().wait_for_output("interop: drained: generation 2", patience));
  CHECK(r.s.generation() == 3);
  r.costs();
  r.ends();
}

TEST_CASE(
    "a C++ successor that a Python predecessor rolls back drains and ends, and costs nothing") {
  python_serves r;
  const auto successor = open_pidfd(r.on_probation(r.s.command(), 3));
  CHECK(r.s.ctl({"rollback", r.s.control()}).status == "exited 0");
  r.rolled_back("", 2);
  CHECK(wait_readable(successor.get(), patience));
  r.costs();
  r.ends();
}

TEST_CASE("a Python predecessor accepts again when its successor dies in probation") {
  python_serves r;
  REQUIRE(send_signal(open_pidfd(r.on_probation(r.s.command(), 3)), SIGKILL));
  r.rolled_back("the successor was killed by signal 9 (SIGKILL) in its probation", 2);
  r.costs(killed::successor);
  r.ends();
}

TEST_CASE("a Python predecessor asks before it commits, and resumes without an answer") {
  python_serves r;
  const auto successor = open_pidfd(r.on_probation(r.s.command(), 3));
  REQUIRE(send_signal(successor, SIGSTOP));
  CHECK(r.s.ctl({"commit", r.s.control()}).status == "exited 1");
  r.rolled_back("the successor did not answer at the end of its probation", 2);
  CHECK(wait_readable(successor.get(), patience));
  r.costs(killed::successor);
  r.ends();
}

TEST_CASE("a C++ successor stays if its Python predecessor dies") {
  python_serves r;
  r.on_probation(r.s.command(), 3);
  REQUIRE(send_signal(open_pidfd(r.s.pid()), SIGKILL));
  CHECK(r.s.server().wait_for_output("generation 3 serves", patience));
  while (r.s.generation() != 3) REQUIRE(r.at_work.connecting.wait_for(1, patience));
  r.costs(killed::predecessor);
  r.ends();
}

TEST_CASE("a C++ successor that is not ready is aborted by a Python predecessor") {
  relay r;
  gate opening{r.s.scene()};
  r.deployed(r.python(), 2);
  process& upgrade = opening.start_upgrade(r.s);
  REQUIRE(upgrade.wait_for_output("1 socket passed", patience));
  CHECK(contains(r.s.status().out, ", upgrading,"));
  const auto successor = open_pidfd(spawned_pid(upgrade));
  CHECK(r.s.ctl({"commit", r.s.control()}).status == "exited 1");
  CHECK(r.s.ctl({"abort", r.s.control()}).status == "exited 0");
  CHECK(upgrade.wait_exit(patience).exited(1));
  CHECK(wait_readable(successor.get(), patience));
  CHECK(r.s.ctl({"abort", r.s.control()}).status == "exited 1");
  const auto bad = r.deploy({"/bin/sh", "-c", "exit 7"});
  CHECK(bad.status == "exited 1");
  CHECK(contains(bad.all, "exited with status 7"));
  CHECK(r.deploy({"/nowhere"}).status == "exited 1");
  r.deployed(r.s.command(), 3);
  r.costs();
}
