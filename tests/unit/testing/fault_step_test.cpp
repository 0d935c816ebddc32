// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "fault_fixture.hpp"
#include "unix_host.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>

using namespace graceful_test;

namespace {

using step = fault::step;
using action = fault::action;
using moment = fault::moment;

std::string call(const std::string& method) {
  return R"({"method":"io.graceful.Handoff.)" + method + R"(","parameters":{}})";
}

/// Answers the calls of a successor until it ends; returns what it has called.
std::vector<std::string> answer(unix_host& host) {
  std::vector<std::string> calls;
  auto client = host.accept(patience);
  while (auto text = client.receive(patience)) {
    calls.push_back(*text);
    if (!client.send("{}")) break;
  }
  return calls;
}

/// Of a handoff with two batches.
const std::map<step, std::uint64_t> every_step{
    {step::begin, 1}, {step::begun, 1},   {step::fetch, 2},  {step::batch, 2},
    {step::ready, 1}, {step::readied, 1}, {step::settle, 1}, {step::settled, 1}};

struct successor_case {
  step where;
  moment when;
  std::uint32_t count;
  std::size_t calls;      // that the predecessor has received
  std::string last_said;  // the last one that it could still send
};

struct predecessor_case {
  step where;
  moment when;
  bool hears;     // it has received the call
  bool answered;  // the successor got the reply
};

}  // namespace

TEST_CASE("a successor can be killed at each step: before a call, after it, and with the answer") {
  for (const auto& [where, when, count, calls, last_said] : {
           successor_case{step::begin, moment::before, 1, 0, ""},
           successor_case{step::begin, moment::after, 1, 1, ""},
           successor_case{step::begun, moment::before, 1, 1, "asked Begin"},
           successor_case{step::begun, moment::after, 1, 1, "asked Begin"},
           successor_case{step::fetch, moment::before, 1, 1, "answered Begin"},
           successor_case{step::fetch, moment::before, 2, 2, "answered Fetch"},
           successor_case{step::batch, moment::after, 2, 3, "asked Fetch"},
           successor_case{step::ready, moment::before, 1, 3, "answered Fetch"},
           successor_case{step::ready, moment::after, 1, 4, "answered Fetch"},
           successor_case{step::readied, moment::after, 1, 4, "asked Ready"},
           successor_case{step::settle, moment::before, 1, 4, "answered Ready"},
           successor_case{step::settled, moment::before, 1, 5, "asked Settle"},
       }) {
    fault_fixture s;
    unix_host host{s.here.path("control")};
    const auto what = fault::at_step(where, action::kill, when, count);
    INFO(what.to_string());
    process& p = s.start({"succeed", host.path()}, what);
    CHECK(answer(host).size() == calls);
    CHECK(p.wait_exit(patience).signalled(SIGKILL));
    const auto output = p.output();
    INFO(output);
    const std::string tail = last_said.empty() ? "" : last_said + "\n";
    CHECK(output.ends_with(tail));
    CHECK(output.empty() == last_said.empty());
  }
}

TEST_CASE(
    "a predecessor can be killed at each step: with a call, before the answer, and after it") {
  for (const auto& [where, when, hears, answered] : {
           predecessor_case{step::ready, moment::before, false, false},
           predecessor_case{step::ready, moment::after, false, false},
           predecessor_case{step::readied, moment::before, true, false},
           predecessor_case{step::readied, moment::after, true, true},
       }) {
    fault_fixture s;
    const auto path = s.here.path("control");
    process& p = s.start({"precede", path}, fault::at_step(where, action::kill, when));
    REQUIRE(p.wait_for_output("listening", patience));
    auto successor = varlink_peer::connect(path);
    REQUIRE(successor.send(call("Begin")));
    REQUIRE(successor.receive(patience));
    successor.send(call("Ready"));
    CHECK(successor.receive(patience).has_value() == answered);
    CHECK(p.wait_exit(patience).signalled(SIGKILL));
    CHECK((p.output().find("Handoff.Ready") != std::string::npos) == hears);
  }
}

TEST_CASE("the steps that a process has seen are counted") {
  fault_fixture s;
  unix_host host{s.here.path("control")};
  process& p = s.start({"succeed", host.path()});
  CHECK(answer(host).size() == 5);
  CHECK(p.wait_exit(patience).exited(0));
  CHECK(s.faults.calls(p.pid()).by_step == every_step);
}

TEST_CASE("a message that arrives in pieces is one step") {
  fault_fixture s;
  unix_host host{s.here.path("control")};
  process& p = s.start({"succeed-in-pieces", host.path()});
  CHECK(answer(host).size() == 5);
  CHECK(p.wait_exit(patience).exited(0));
  CHECK(s.faults.calls(p.pid()).by_step == every_step);
}

TEST_CASE("the rest of a call is not taken for the answer to it") {
  fault_fixture s;
  unix_host host{s.here.path("control")};
  process& p =
      s.start({"succeed-in-pieces", host.path()}, fault::at_step(step::begun, action::kill));
  CHECK(answer(host).size() == 1);
  CHECK(p.wait_exit(patience).signalled(SIGKILL));
}

TEST_CASE("messages outside the handoff, or after it on the same descriptor, are not steps") {
  fault_fixture s;
  const auto path = s.here.path("control");
  process& p = s.start({"precede-twice", path});
  REQUIRE(p.wait_for_output("listening", patience));
  {
    auto first = varlink_peer::connect(path);
    REQUIRE(first.send(R"({"method":"io.graceful.Control.Status"})"));
    REQUIRE(first.receive(patience));
    REQUIRE(first.send(R"({"text":"named here: io.graceful.Handoff.Ready, no more"})"));
    REQUIRE(first.receive(patience));
    // A call that is never answered; then another socket gets the descriptor.
    REQUIRE(first.send(R"({"method":"io.graceful.Handoff.Settle","quiet":true})"));
    REQUIRE(p.wait_for_output("Settle", patience));
  }
  auto second = varlink_peer::connect(path);
  REQUIRE(second.send(R"({"method":"io.graceful.Control.Status"})"));
  REQUIRE(second.receive(patience));
  // Shorter than what the buffer held before.
  REQUIRE(second.send("{}"));
  REQUIRE(second.receive(patience));
  CHECK(s.faults.calls(p.pid()).by_step == std::map<step, std::uint64_t>{{step::settle, 1}});
}

TEST_CASE("a process that falls silent at an answer goes on, and nobody hears of it") {
  fault_fixture s;
  const auto path = s.here.path("control");
  process& p = s.start({"precede", path}, fault::at_step(step::readied, action::unreachable));
  REQUIRE(p.wait_for_output("listening", patience));
  auto successor = varlink_peer::connect(path);
  REQUIRE(successor.send(call("Begin")));
  REQUIRE(successor.receive(patience));
  REQUIRE(successor.send(call("Ready")));
  REQUIRE(s.faults.fired(p.pid(), patience));
  REQUIRE(p.wait_for_output("Ready\",\"parameters\":{}}\nanswered", patience));
  CHECK_FALSE(successor.receive(std::chrono::milliseconds{100}));
  CHECK_FALSE(successor.closed_by_peer(std::chrono::milliseconds{0}));
  successor.send(call("Settle"));
  CHECK_FALSE(successor.receive(std::chrono::milliseconds{100}));
  CHECK(p.output().find("Settle") == std::string::npos);
  p.signal(SIGKILL);
  CHECK(successor.closed_by_peer(patience));
}

TEST_CASE("a process that falls silent before it takes a message does not get it") {
  fault_fixture s;
  const auto path = s.here.path("control");
  process& p = s.start({"precede", path}, fault::at_step(step::ready, action::unreachable));
  REQUIRE(p.wait_for_output("listening", patience));
  auto successor = varlink_peer::connect(path);
  REQUIRE(successor.send(call("Begin")));
  REQUIRE(successor.receive(patience));
  REQUIRE(p.wait_for_output("answered", patience));
  successor.send(call("Ready"));
  REQUIRE(s.faults.fired(p.pid(), patience));
  CHECK_FALSE(successor.receive(std::chrono::milliseconds{100}));
  CHECK(p.output().find("Ready") == std::string::npos);
}
