// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/errc.hpp>
#include <graceful/testing/leak_report.hpp>
#include <graceful/testing/upgrade_outcome.hpp>

#include <doctest/doctest.h>

#include <sstream>

using namespace graceful::testing;
using graceful::errc;
using namespace std::chrono_literals;

namespace {

upgrade_outcome reached(std::initializer_list<const char*> phases) {
  upgrade_outcome outcome;
  for (const char* phase : phases) outcome.phases.push_back({.phase = phase, .elapsed = 7ms});
  return outcome;
}

}  // namespace

TEST_CASE("an upgrade has the state that it has reached, and has failed only with an error") {
  const auto begun = reached({"spawned", "begun"});
  CHECK(begun.reached("begun"));
  CHECK_FALSE(begun.reached("ready"));
  CHECK_FALSE(begun.ready());
  CHECK_FALSE(begun.failed());
  const auto ready = reached({"spawned", "begun", "passed", "ready"});
  CHECK(ready.ready());
  CHECK_FALSE(ready.committed());
  const auto committed = reached({"ready", "committed"});
  CHECK(committed.committed());
  CHECK_FALSE(committed.failed());
}

TEST_CASE("only an upgrade that had been ready can be rolled back, and only by its own failure") {
  auto early = reached({"spawned"});
  early.code = errc::upgrade_failed;
  CHECK(early.failed());
  CHECK_FALSE(early.rolled_back());
  auto late = reached({"spawned", "ready"});
  CHECK_FALSE(late.rolled_back());
  late.code = errc::upgrade_failed;
  CHECK(late.rolled_back());
  late.code = errc::timed_out;  // the waiting test's own deadline
  CHECK(late.failed());
  CHECK_FALSE(late.rolled_back());
}

TEST_CASE("busy means refused because another upgrade runs, and nothing else") {
  upgrade_outcome outcome;
  CHECK_FALSE(outcome.busy());
  outcome.code = errc::busy;
  CHECK(outcome.busy());
  CHECK(outcome.failed());
  outcome.code = errc::upgrade_failed;
  CHECK_FALSE(outcome.busy());
}

TEST_CASE("an outcome is one line: how far, which process, how long each phase took, and why") {
  CHECK(upgrade_outcome{}.to_string() == "begun");
  auto outcome = reached({"spawned", "ready"});
  outcome.phases[1].duration = 3ms;
  outcome.pid = 4711;
  outcome.generation = 2;
  CHECK(outcome.to_string() == "ready: generation 2, pid 4711 (spawned 7 ms, ready 3 ms)");
  outcome.code = errc::upgrade_failed;
  outcome.message = "rolled back: an operator asked for it";
  std::ostringstream text;
  text << outcome;
  CHECK(text.str() ==
        "rolled back: generation 2, pid 4711 (spawned 7 ms, ready 3 ms): rolled back: an operator "
        "asked for it");
  upgrade_outcome refused;
  refused.code = errc::busy;
  refused.message = "an upgrade runs";
  CHECK(refused.to_string() == "failed: an upgrade runs");
}

TEST_CASE("leaks are written as one sentence a line") {
  CHECK(no_leaks.to_string() == "no leaks");
  CHECK(leak_report{} == no_leaks);
  const leak_report leaks{{"sockets: 3, at first 2", "the path x"}};
  CHECK_FALSE(leaks == no_leaks);
  std::ostringstream text;
  text << leaks;
  CHECK(text.str() == "sockets: 3, at first 2\nthe path x");
}
