// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Upgrades of a server under load in which one of the two processes is struck at a step of the
// handoff, or at one of its calls.
#include <graceful/testing/fault.hpp>

#include "clients.hpp"
#include "server_fixture.hpp"
#include "testing/fault_variable.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

using step = fault::step;
using action = fault::action;
using moment = fault::moment;

/// What an upgrade needs so that the fault strikes its successor.
std::vector<std::string> for_successor(const fault& what) {
  const auto [name, value] = variable_for(what);
  return {"--env", name + "=" + value};
}

/// A server under load, on which, and on whose successors, faults can strike.
struct faulty_site {
  explicit faulty_site(std::vector<std::string> arguments)
      : s{joined(std::move(arguments), {"--threads", "2"}), {.environment = faults.environment()}} {
    at_work.go_on(20);
  }

  pid_t server() { return s.server().pid(); }

  /// graceful-ctl upgrade, running.
  process& upgrade() { return s.start_upgrade(); }
  process& upgrade(const fault& what) { return s.start_upgrade(for_successor(what)); }

  /// `generation` serves new clients; none was refused, and at most `lost` requests were lost. Then
  /// the next upgrade works.
  void serves(std::uint64_t generation, std::uint64_t lost) {
    REQUIRE(at_work.connecting.wait_for_generation(generation, 20, patience));
    REQUIRE(at_work.connecting.wait_for(50, patience));
    const auto seen = at_work.stop();
    INFO(seen.to_string(), s.scene().report());
    CHECK(seen.refused() == 0);
    CHECK(seen.lost() <= lost);
    CHECK(serves_alone(generation, s));
    CHECK(s.generation() == static_cast<std::int64_t>(generation));
    const auto next = s.upgrade();
    INFO(next.all);
    CHECK(next.status == "exited 0");
    CHECK(s.generation() == static_cast<std::int64_t>(generation) + 1);
  }

  fault_injector faults;
  server_fixture s;
  clients at_work{s};
};

/// The requests that may be lost with a process: one for each client of the two loads.
const auto all_clients = 2 * static_cast<std::uint64_t>(http_load{}.connections);

}  // namespace

TEST_CASE("a successor that is killed at any step before it is ready costs nothing") {
  for (const auto& [where, when] : {
           std::pair{step::begin, moment::before},
           std::pair{step::begun, moment::after},
           std::pair{step::fetch, moment::before},
           std::pair{step::batch, moment::before},
           std::pair{step::batch, moment::after},
           std::pair{step::ready, moment::before},
       }) {
    const auto what = fault::at_step(where, action::kill, when);
    INFO(what.to_string());
    faulty_site f{{"--probation", "300ms"}};
    process& ctl = f.upgrade(what);
    REQUIRE(f.faults.fired(spawned_pid(ctl), patience));
    CHECK(ctl.wait_exit(patience).exited(1));
    CHECK(contains(ctl.output(), "killed by signal 9"));
    f.serves(1, 0);
  }
}

TEST_CASE(
    "a successor that is killed after Ready loses only its own connections, and is rolled back") {
  for (const auto& [where, when] : {
           std::pair{step::ready, moment::after},
           std::pair{step::readied, moment::after},
           std::pair{step::settle, moment::before},
           std::pair{step::settle, moment::after},
       }) {
    const auto what = fault::at_step(where, action::kill, when);
    INFO(what.to_string());
    faulty_site f{{"--probation", "1min"}};
    process& ctl = f.upgrade(what);
    REQUIRE(f.faults.fired(spawned_pid(ctl), patience));
    CHECK(ctl.wait_exit(patience).exited(1));
    f.at_work.check(killed::successor);
    CHECK(serves_alone(1, f.s));
    CHECK(f.s.generation() == 1);
  }
}

TEST_CASE("a predecessor that is killed while it answers Ready leaves a successor that serves") {
  for (const auto when : {moment::before, moment::after}) {
    faulty_site f{{"--probation", "1min"}};
    f.faults.arm(f.server(), fault::at_step(step::readied, action::kill, when));
    f.upgrade();
    REQUIRE(f.faults.fired(f.server(), patience));
    CHECK(f.s.server().wait_exit(patience).signalled(SIGKILL));
    REQUIRE(f.at_work.connecting.wait_for_generation(2, 20, patience));
    f.at_work.stop();
    load after{f.s.load_on(false)};

    CHECK(after.wait_for(50, patience));
    CHECK(after.stop().lost() == 0);
    CHECK(f.s.generation() == 2);
  }
}

TEST_CASE(
    "a predecessor that is stopped when Ready arrives continues the upgrade when it resumes") {
  faulty_site f{{"--probation", "200ms"}};
  f.faults.arm(f.server(), fault::at_step(step::ready, action::stop));
  process& ctl = f.upgrade();
  REQUIRE(f.faults.fired(f.server(), patience));
  f.s.server().signal(SIGCONT);
  CHECK(ctl.wait_exit(patience).exited(0));
  f.serves(2, 0);
}

TEST_CASE("a successor that is told to end in ready() does not wait, and costs nothing") {
  for (const char* probation : {"0", "1min"}) {
    faulty_site f{{"--probation", probation, "--handoff-timeout", "1d"}};
    f.faults.arm(f.server(), fault::at_step(step::ready, action::stop));
    process& ctl = f.upgrade();
    const auto successor = open_pidfd(spawned_pid(ctl));
    REQUIRE(f.faults.fired(f.server(), patience));
    REQUIRE(send_signal(successor, SIGTERM));
    REQUIRE(wait_readable(successor.get(), patience));
    CHECK(f.s.server().wait_for_output("it was told to end before it was ready", patience));
    f.s.server().signal(SIGCONT);
    CHECK(ctl.wait_exit(patience).exited(1));
    f.at_work.check();
    CHECK(f.s.generation() == 1);
  }
}

TEST_CASE(
    "a successor that becomes unreachable in its probation is rolled back, without a refusal") {
  faulty_site f{{"--probation", "300ms"}};
  process& ctl = f.upgrade(fault::at_step(step::settle, action::unreachable, moment::after));
  const auto successor = spawned_pid(ctl);
  REQUIRE(f.faults.fired(successor, patience));
  CHECK(ctl.wait_exit(patience).exited(1));
  CHECK(contains(ctl.output(), "the successor did not answer at the end of its probation"));
  f.serves(1, all_clients);
}

TEST_CASE("a successor that becomes unreachable before it begins is ended, and costs nothing") {
  faulty_site f{{"--ready-timeout", "5s"}};
  process& ctl = f.upgrade(fault::at_step(step::begin, action::unreachable));
  REQUIRE(f.faults.fired(spawned_pid(ctl), patience));
  CHECK(ctl.wait_exit(patience).exited(1));
  CHECK(contains(ctl.output(), "had not connected within 5 s"));
  f.serves(1, 0);
}

TEST_CASE("a server that is killed in accept loses only its own connections") {
  for (const auto when : {moment::before, moment::after}) {
    faulty_site f{{}};
    f.faults.arm(f.server(), fault::at_call("accept4", 7, action::kill, when));
    CHECK(f.s.server().wait_exit(patience).signalled(SIGKILL));
    const auto hit = f.faults.fired(f.server(), patience);
    REQUIRE(hit);
    CHECK(hit->call == "accept4");
    CHECK(f.at_work.kept.stop().ok > 0);
  }
}

TEST_CASE(
    "a successor that connects between two generations waits for the end of its real predecessor") {
  fault_injector faults;
  server_fixture s{{"--probation", "1min"}, {.environment = faults.environment()}};
  const auto held = s.hold();
  process& ctl = s.start_upgrade(for_successor(fault::at_call("listen", 1, action::stop)));
  REQUIRE(ctl.wait_for_output("ready: generation 2", patience));
  const auto second = open_pidfd(spawned_pid(ctl));
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  REQUIRE(faults.fired(spawned_pid(ctl), patience));

  // Generation 1 has let go of the control socket, but SO_PEERCRED of new clients still names it.
  auto asked = faults.environment();
  asked.insert(variable_for(fault::at_step(step::begin, action::stop, moment::after)));
  asked["GRACEFUL_TAKEOVER"] = "1";
  process& third = s.scene().start(s.command(), {.environment = asked});
  REQUIRE(faults.fired(third.pid(), patience));
  REQUIRE(send_signal(second, SIGCONT));
  third.signal(SIGCONT);
  REQUIRE(third.wait_for_output("generation 3 serves", patience));

  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  CHECK(contains(s.status().out, "generation 2, pid "));
  CHECK(s.ctl({"commit", s.control()}).status == "exited 0");
  CHECK(wait_readable(second.get(), patience));
  CHECK(s.generation() == 3);
  CHECK(third.running());
  INFO(third.output());
  CHECK_FALSE(
      contains(third.output(), "generation 2 (pid " + std::to_string(s.server().pid()) + ")"));
}

TEST_CASE("a trace of an upgrade contains the handoff of both processes") {
  faulty_site f{{}};
  process& ctl = f.upgrade();
  const auto successor = spawned_pid(ctl);
  CHECK(ctl.wait_exit(patience).exited(0));
  const auto before = f.faults.calls(f.server());
  const auto after = f.faults.calls(successor);
  for (const auto& seen : {before, after}) {
    for (const auto each : {step::begin, step::begun, step::ready, step::readied}) {
      REQUIRE(seen.by_step.contains(each));
      CHECK(seen.by_step.at(each) == 1);
    }
    CHECK(seen.by_step.at(step::fetch) == seen.by_step.at(step::batch));
  }
  CHECK(before.by_kind.at("clone") == 1);
  CHECK(after.by_kind.contains("accept4"));
}
