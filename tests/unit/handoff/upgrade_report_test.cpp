// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/upgrade_report.hpp"

#include <graceful/duration_text.hpp>

#include "handoff/served_sessions.hpp"
#include "wire/control_messages.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace wire = graceful::wire;

namespace {

/// A report, an operator who asked for the upgrade, and one who decides about it.
struct report_fixture : served_sessions {
  report_fixture() {
    on_call = [this](graceful::control_session& from, const wire::call& c) {
      if (c.method == wire::commit_method) return report.await_decision(from);
      report.start(from.weak_from_this());
    };
    upgrade.more = true;
    REQUIRE(caller.send_raw(wire::to_message(upgrade)));
    REQUIRE(
        run_until([this] { return report.started() != std::chrono::steady_clock::time_point{}; }));
  }

  void decide() {
    REQUIRE(decider.send_raw(
        wire::to_message({.method = std::string{wire::commit_method}, .parameters = {}})));
    io.restart();
    while (io.poll_one() > 0) {
    }
  }

  wire::call upgrade = wire::to_call(graceful::upgrade_request{});
  graceful::statistics measured;
  std::vector<std::string> monitored;
  graceful::upgrade_report report{
      log,
      measured,
      {.tell_monitors = [this](const auto& event, const auto&) { monitored.push_back(event); }},
      7};
  varlink_peer caller = connect();
  varlink_peer decider = connect();
};

}  // namespace

TEST_CASE(
    "the operator, the monitors and the log hear of each phase, with the times between them") {
  report_fixture f;
  f.report.spawned(42);
  auto reply = f.reply_to(f.caller);
  CHECK(reply.at("continues").as_bool());
  auto phase = wire::parse_phase(parameters_of(reply)).value();
  CHECK(phase.phase == "spawned");
  CHECK(phase.pid == 42);
  CHECK(phase.duration.has_value());
  f.report.begun();
  f.report.passed(1);
  f.report.ready(42, 3s);
  for (const char* name : {"begun", "passed", "ready"}) {
    CHECK(text_of(parameters_of(f.reply_to(f.caller)), "phase") == name);
  }
  CHECK(f.monitored == std::vector<std::string>{"spawned", "begun", "passed", "ready"});
  CHECK(f.mentions("upgrade: spawned pid 42"));
  CHECK(f.mentions("upgrade: generation 7 has connected"));
  CHECK(f.mentions("upgrade: 1 socket passed"));
  CHECK(
      f.mentions("upgrade: generation 7 serves, in probation for " + graceful::duration_text(3s)));
  CHECK(f.measured.now().probation);
}

TEST_CASE("a commit is the last reply to the operator, and answers who waited for the decision") {
  report_fixture f;
  f.decide();
  f.report.committed(42, {{"admin", "127.0.0.1:81"}});
  const auto last = f.reply_to(f.caller);
  CHECK_FALSE(last.contains("continues"));
  const auto phase = wire::parse_phase(parameters_of(last)).value();
  CHECK(phase.phase == "committed");
  CHECK(phase.dropped == std::vector<std::string>{"admin"});
  CHECK(text_of(f.reply_to(f.decider), "error").empty());
  CHECK(f.mentions("nobody listens on 127.0.0.1:81 ('admin') any more"));
  CHECK(f.report.last_failure().empty());
}

TEST_CASE("a failure answers everybody who waits, once, and says whether this process ends too") {
  report_fixture f;
  f.decide();
  bool ends = false;
  std::string consequence = " keeps serving";
  SUBCASE("it keeps serving") {}
  SUBCASE("it ends") {
    ends = true;
    consequence = " ends";
  }
  f.report.failed("it crashed", ends);
  for (auto* peer : {&f.caller, &f.decider}) {
    const auto reply = f.reply_to(*peer);
    CHECK(text_of(reply, "error") == wire::upgrade_failed_error);
    CHECK(text_of(parameters_of(reply), "message") == "it crashed; the old process" + consequence);
    CHECK(parameters_of(reply).contains("ends") == ends);
  }
  CHECK(f.mentions("upgrade failed: it crashed; this process" + consequence));
  CHECK(f.monitored == std::vector<std::string>{"failed"});
  CHECK(f.report.last_failure() == "it crashed");
  CHECK(f.measured.now().totals.failed == 1);
  f.report.failed("it crashed again", ends);
  CHECK_FALSE(f.caller.receive(0ms));
}
