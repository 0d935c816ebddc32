// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <string>

using namespace graceful_test;
using state = predecessor_ladder::state;

namespace {

/// A spawned successor, `peer`, up to its Begin.
predecessor_ladder after_begin(std::uint64_t descriptors, std::uint64_t peer = 1) {
  predecessor_ladder p{.machine = {}, .descriptors = descriptors};
  p.on(event::upgrade{"t"});
  p.on(event::spawned{812});
  p.on(begin(peer, "t"));
  REQUIRE(p.current() == state::passing);
  return p;
}

const std::string readied = "disarm_timer; acknowledge_ready(1); report_ready; arm_confirmation";
const std::string taken_over = "disarm_timer; stop_accepting; settled(1); report_committed";

/// The same, after it has called Ready.
predecessor_ladder ready() {
  auto p = after_begin(3);
  p.on(fetch(1, 0));
  REQUIRE(p.on(event::ready{1}) == readied);
  REQUIRE(p.current() == state::confirming);
  return p;
}

}  // namespace

TEST_CASE("an upgrade goes from spawn to passing and to Ready, and ends when the successor asks") {
  predecessor_ladder p;
  CHECK(p.machine.idle());
  CHECK(p.on(event::upgrade{"t"}) == "arm_timer; spawn(t)");
  CHECK(p.current() == state::spawning);
  CHECK_FALSE(p.machine.idle());
  CHECK(p.on(event::spawned{812}) == "report_spawned(812)");
  CHECK(p.on(begin(1, "t")) == "begun(1); report_begun");
  CHECK(p.current() == state::passing);
  CHECK(p.machine.is_successor(1));
  CHECK_FALSE(p.machine.is_successor(2));
  CHECK(p.on(fetch(1, 0)) == "batch(1, 0 + 3); report_passed");
  CHECK(p.on(event::ready{1}) == readied);
  CHECK(p.current() == state::confirming);
  CHECK(p.on(event::settle{1}) == taken_over);
  CHECK(p.current() == state::handed_over);
  CHECK(p.machine.is_successor(1));
}

TEST_CASE("a successor that another process started needs no spawn") {
  predecessor_ladder p;
  CHECK(p.on(begin(1)) == "arm_timer; begun(1); report_begun");
  CHECK(p.on(fetch(1, 0)) == "batch(1, 0 + 3); report_passed");
  CHECK(p.on(event::ready{1}) == readied);
}

TEST_CASE("descriptors go in batches of at most 253, each once and in order") {
  for (const std::uint64_t total : {1U, 2U, 252U, 253U, 254U, 506U, 507U, 1000U}) {
    CAPTURE(total);
    auto p = after_begin(total);
    std::uint64_t next = 0;
    while (next < total) {
      const auto count = std::min<std::uint64_t>(253, total - next);
      const bool last = next + count == total;
      CHECK(p.on(fetch(1, next)) == "batch(1, " + std::to_string(next) + " + " +
                                        std::to_string(count) + ")" +
                                        (last ? "; report_passed" : ""));
      if (!last) CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
      next += count;
    }
    CHECK(p.on(fetch(1, total)) == "refuse(1, not_on_offer)");
    CHECK(p.on(event::ready{1}) == readied);
  }
}

TEST_CASE("the number of descriptors on offer is fixed when the upgrade begins") {
  auto p = after_begin(2);
  p.descriptors = 5;
  CHECK(p.on(fetch(1, 0)) == "batch(1, 0 + 2); report_passed");
  p.descriptors = 0;
  CHECK(p.on(event::ready{1}) == readied);
}

TEST_CASE(
    "a Fetch of descriptors that are not on offer is refused, and the right one still answered") {
  auto p = after_begin(3);
  CHECK(p.on(fetch(1, 3)) == "refuse(1, not_on_offer)");
  CHECK(p.on(fetch(1, UINT64_MAX)) == "refuse(1, not_on_offer)");
  CHECK(p.on(fetch(1, 1)) == "refuse(1, out_of_order)");
  CHECK(p.on(fetch(1, 0)) == "batch(1, 0 + 3); report_passed");
  CHECK(p.on(fetch(1, 0)) == "refuse(1, out_of_order)");
  CHECK(p.on(event::ready{1}) == readied);
}

TEST_CASE("Ready before Begin, before Fetch and before the last Fetch is refused") {
  predecessor_ladder p{.machine = {}, .descriptors = 254};
  CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
  p.on(event::upgrade{"t"});
  p.on(event::spawned{812});
  CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
  p.on(begin(1, "t"));
  CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
  p.on(fetch(1, 0));
  CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
  p.on(fetch(1, 253));
  CHECK(p.on(event::ready{1}) == readied);
}

TEST_CASE("calls of a peer that is not the successor are refused in every state") {
  const auto check = [](predecessor_ladder& p) {
    const auto before = p.current();
    CHECK(p.on(fetch(2, 0)) == "refuse(2, out_of_order)");
    CHECK(p.on(event::ready{2}) == "refuse(2, out_of_order)");
    CHECK(p.on(fail(2, "because")) == "refuse(2, out_of_order)");
    CHECK(p.on(event::closed{2}).empty());
    CHECK(p.current() == before);
  };
  predecessor_ladder p;
  check(p);
  p.on(event::upgrade{"t"});
  check(p);
  p.on(event::spawned{812});
  check(p);
  p.on(begin(1, "t"));
  check(p);
  p.on(fetch(1, 0));
  check(p);
  p.on(event::ready{1});
  check(p);
  p.on(event::settle{1});
  check(p);
}

TEST_CASE("a second Begin is refused: busy, not expected, or out of order") {
  predecessor_ladder p;
  p.on(event::upgrade{"t"});
  p.on(event::spawned{812});
  CHECK(p.on(begin(2)) == "refuse(2, busy)");
  CHECK(p.on(begin(2, "other")) == "refuse(2, not_expected)");
  CHECK(p.on(begin(1, "t")) == "begun(1); report_begun");
  CHECK(p.on(begin(2)) == "refuse(2, busy)");
  CHECK(p.on(begin(2, "t")) == "refuse(2, not_expected)");
  CHECK(p.on(begin(1)) == "refuse(1, out_of_order)");
  CHECK(p.on(begin(1, "t")) == "refuse(1, out_of_order)");
  p.on(fetch(1, 0));
  p.on(event::ready{1});
  p.on(event::settle{1});
  CHECK(p.on(begin(2)) == "refuse(2, busy)");
  CHECK(p.on(begin(2, "t")) == "refuse(2, busy)");
  CHECK(p.on(begin(1)) == "refuse(1, out_of_order)");
  CHECK(p.current() == state::handed_over);
}

TEST_CASE("the token of an upgrade that does not run is not expected") {
  predecessor_ladder p;
  CHECK(p.on(begin(1, "old")) == "refuse(1, not_expected)");
  CHECK(p.current() == state::serving);
  CHECK(p.on(begin(1)) == "arm_timer; begun(1); report_begun");
}

TEST_CASE("an upgrade that is asked for while another runs changes nothing") {
  predecessor_ladder p;
  for (const auto& step : std::initializer_list<graceful::handoff::predecessor_event>{
           event::upgrade{"t"}, event::spawned{812}, begin(1, "t"), fetch(1, 0), event::ready{1},
           event::settle{1}}) {
    p.on(step);
    const auto before = p.current();
    CHECK(p.on(event::upgrade{"u"}).empty());
    CHECK(p.current() == before);
    CHECK_FALSE(p.machine.idle());
  }
}

TEST_CASE("after the handover the end of the successor is only reported") {
  auto p = ready();
  CHECK(p.on(event::settle{1}) == taken_over);
  CHECK(p.on(event::timeout{}).empty());
  CHECK(p.on(event::settle{1}) == "settled(1)");
  CHECK(p.on(event::shutdown{}).empty());
  CHECK(p.on(fetch(1, 0)) == "refuse(1, out_of_order)");
  CHECK(p.on(event::ready{1}) == "refuse(1, out_of_order)");
  CHECK(p.on(fail(1, "late")) == "refuse(1, out_of_order)");
  CHECK(p.on(event::exited{"exited with status 0"}).empty());
  CHECK(p.on(event::closed{1}) == "report_lost");
  CHECK(p.on(event::closed{1}).empty());
  CHECK(p.current() == state::handed_over);
}

TEST_CASE("without a probation a successor that is lost before it asks costs nothing") {
  auto dead = ready();
  CHECK(dead.on(event::closed{1}) == "resume_accepting; arm_timer");
  CHECK(dead.on(event::exited{"was killed by signal 9 (SIGKILL)"}) ==
        "disarm_timer; report_failed(rolled back: the successor was killed by signal 9 (SIGKILL) "
        "before it was committed)");
  CHECK(dead.machine.idle());

  auto hanging = ready();
  CHECK(hanging.on(event::timeout{}) ==
        "resume_accepting; abort(1: the successor was ready, and did not ask whether it stays); "
        "kill");
}

TEST_CASE("without a probation a predecessor that ends before it was asked commits unasked") {
  auto p = ready();
  CHECK(p.on(event::shutdown{}) ==
        "disarm_timer; stop_accepting; settled(1) unasked; report_committed");
  CHECK(p.on(event::shutdown{}).empty());
  auto q = ready();
  CHECK(q.on(event::settle{1}) == taken_over);
  CHECK(q.on(event::shutdown{}).empty());
}
