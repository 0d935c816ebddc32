// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace graceful_test;
using state = predecessor_ladder::state;

namespace {

/// A successor, spawned or not, on connection 1, that has called Ready.
predecessor_ladder on_probation(bool spawned = true) {
  predecessor_ladder p{.machine = graceful::handoff::predecessor{true}, .descriptors = 3};
  if (spawned) {
    p.on(event::upgrade{"t"});
    p.on(event::spawned{812});
  }
  p.on(begin(1, spawned ? "t" : ""));
  p.on(fetch(1, 0));
  REQUIRE(p.on(event::ready{1}) ==
          "disarm_timer; acknowledge_ready(1); report_ready; arm_probation");
  REQUIRE(p.current() == state::probation);
  return p;
}

}  // namespace

TEST_CASE("at the end of a probation a successor that answers is committed") {
  auto p = on_probation();
  CHECK(p.on(event::settle{1}) == "pause_accepting");  // it accepts
  CHECK(p.on(event::timeout{}) == "arm_confirmation; ask_again(1)");
  CHECK(p.current() == state::confirming);
  CHECK(p.on(event::settle{1}) == "disarm_timer; stop_accepting; settled(1); report_committed");
  CHECK(p.current() == state::handed_over);
}

TEST_CASE(
    "an operator's commit waits for an answer too, and ignores a Settle from before the question") {
  auto p = on_probation();
  CHECK(p.on(event::commit{}) == "arm_confirmation");
  CHECK(p.on(event::commit{}).empty());
  // A successor that hangs by now may have sent the first Settle before.
  CHECK(p.on(event::settle{1}) == "ask_again(1)");
  CHECK(p.current() == state::confirming);
  CHECK(p.on(event::settle{1}) == "disarm_timer; stop_accepting; settled(1); report_committed");
}

TEST_CASE("a successor that does not answer at the end of its probation is rolled back") {
  auto p = on_probation();
  p.on(event::settle{1});
  p.on(event::timeout{});
  CHECK(p.on(event::timeout{}) ==
        "resume_accepting; abort(1: the successor did not answer at the end of its probation); "
        "kill");
  CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
        "disarm_timer; report_failed(rolled back: the successor did not answer at the end of its "
        "probation)");
}

TEST_CASE("a rollback is possible until the successor has answered") {
  auto p = on_probation();
  p.on(event::settle{1});
  p.on(event::commit{});
  CHECK(p.on(event::rollback{"why"}).starts_with("resume_accepting; abort(1: why); retire"));
}

TEST_CASE("a successor whose connection is held by a process that it forked is lost when it ends") {
  auto p = on_probation();
  p.on(event::settle{1});
  CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)", true}) ==
        "resume_accepting; arm_timer; disarm_timer; report_failed(rolled back: the successor was "
        "killed by signal 9 (SIGKILL) in its probation)");
  CHECK(p.on(event::closed{1}).empty());
}

TEST_CASE("a successor that gives up in its probation gets the usual time to end") {
  SUBCASE("it takes longer") {
    auto p = on_probation();
    CHECK(p.on(fail(1, "no database")) == "resume_accepting; arm_timer; acknowledge(1)");
    CHECK(p.current() == state::ending);
    CHECK(p.on(event::timeout{}) == "kill");
    CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
          "disarm_timer; report_failed(rolled back: the successor gave up: no database)");
  }
  SUBCASE("its process is unknown") {
    auto p = on_probation(false);
    CHECK(p.on(fail(1, "no database")) ==
          "resume_accepting; arm_timer; acknowledge(1); disarm_timer; "
          "report_failed(rolled back: the successor gave up: no database)");
  }
}

TEST_CASE("a successor that dies in its probation is rolled back, with the reason of its death") {
  auto p = on_probation();
  p.on(event::settle{1});
  CHECK(p.on(event::closed{1}) == "resume_accepting; arm_timer");
  CHECK(p.current() == state::ending);
  CHECK(p.on(event::exited{"was killed by signal 11 (SIGSEGV)"}) ==
        "disarm_timer; report_failed(rolled back: the successor was killed by signal 11 (SIGSEGV) "
        "in its probation)");
  CHECK(p.current() == state::serving);
}

TEST_CASE("the exit of a successor may be noticed before the end of its connection") {
  auto p = on_probation();
  CHECK(p.on(event::exited{"exited with status 0"}).empty());
  CHECK(p.on(event::closed{1}) ==
        "resume_accepting; arm_timer; disarm_timer; report_failed(rolled back: the successor "
        "exited with "
        "status 0 in its probation)");
}

TEST_CASE("a successor that was not spawned and goes is rolled back at once") {
  auto p = on_probation(false);
  CHECK(p.on(event::closed{1}) ==
        "resume_accepting; arm_timer; disarm_timer; report_failed(rolled back: the successor "
        "closed its "
        "connection in its probation)");
}

TEST_CASE(
    "a successor that loses its connection but lives is killed when its time to end is over") {
  auto p = on_probation();
  p.on(event::closed{1});
  CHECK(p.on(event::timeout{}) == "kill");
  CHECK(
      p.on(event::exited{"was killed by signal 9 (SIGKILL)"}).starts_with("disarm_timer; report"));
}

TEST_CASE("an operator's rollback resumes first, tells the successor, and lets it drain") {
  auto p = on_probation();
  p.on(event::settle{1});
  CHECK(p.on(event::rollback{"an operator asked for it"}) ==
        "resume_accepting; refuse(1, rolled_back); retire; disarm_timer; "
        "report_failed(rolled back: an operator asked for it)");
  CHECK(p.current() == state::serving);
  CHECK(p.on(event::closed{1}).empty());
  CHECK(p.on(event::upgrade{"next"}) == "arm_timer; spawn(next)");
}

TEST_CASE("a successor that has not asked whether it stays is told of a rollback by an abort") {
  auto p = on_probation(false);
  CHECK(p.on(event::rollback{"an operator asked for it"}) ==
        "resume_accepting; abort(1: an operator asked for it); disarm_timer; "
        "report_failed(rolled back: an operator asked for it)");
}

TEST_CASE("a predecessor that shuts down in a probation commits") {
  auto p = on_probation();
  CHECK(p.on(event::shutdown{}) ==
        "disarm_timer; stop_accepting; settled(1) unasked; report_committed");
  auto q = on_probation();
  q.on(event::settle{1});
  CHECK(q.on(event::shutdown{}) == "disarm_timer; stop_accepting; settled(1); report_committed");
}

TEST_CASE("commit, rollback and abort do nothing if there is nothing to decide") {
  predecessor_ladder p{.machine = graceful::handoff::predecessor{true}, .descriptors = 3};
  CHECK(p.on(event::commit{}).empty());
  CHECK(p.on(event::rollback{"an operator asked for it"}).empty());
  CHECK(p.on(event::abort{}).empty());
  auto q = on_probation();
  CHECK(q.on(event::abort{}).empty());
  CHECK(q.on(begin(2)) == "refuse(2, busy)");
  CHECK(q.on(event::settle{2}) == "refuse(2, out_of_order)");
  q.on(event::commit{});
  q.on(event::settle{1});
  q.on(event::settle{1});
  CHECK(q.on(event::rollback{"an operator asked for it"}).empty());
}

TEST_CASE("a predecessor that ends after it lost its successor does not hand over, and says why") {
  auto p = on_probation();
  p.on(event::settle{1});
  CHECK(p.on(event::closed{1}) == "resume_accepting; arm_timer");
  CHECK(p.on(event::shutdown{}) == "kill");
  CHECK(p.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
        "disarm_timer; report_failed(rolled back: the successor closed its connection in its "
        "probation)");
}
