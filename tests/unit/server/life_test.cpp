// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The life of a process, as a ladder: what happens, and what it does about that.
#include "server/life.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

namespace {

using graceful::life;
using action = life::action;
using event = life::event;
using stage = life::stage;

constexpr std::array all_events{event::ready_called, event::announced,       event::not_accepted,
                                event::opened,       event::given_up,        event::told_to_end,
                                event::committed,    event::told_to_end_now, event::upgrade_settled,
                                event::rolled_back,  event::succeeded};

life after(bool has_predecessor, std::initializer_list<event> events) {
  life process{has_predecessor};
  for (const auto each : events) process.resume(each);
  return process;
}

life in_probation() { return after(true, {event::ready_called, event::announced, event::opened}); }
life serving() { return after(false, {event::ready_called, event::opened}); }

/// What a process has done so far.
struct record {
  life process;
  bool open = false;
  bool watched = false;
  bool stayed = false;
  int ends = 0;
  std::vector<event> path{};

  bool operator==(const record& other) const {
    return process == other.process && open == other.open && watched == other.watched &&
           stayed == other.stayed && ends == other.ends;
  }
};

bool is_of_ready(action a) {
  return a == action::announce || a == action::open || a == action::refuse_ready;
}

/// What the glue relies on; empty if it holds.
std::string wrong_with(record& r, event e) {
  const life before = r.process;
  const auto actions = r.process.resume(e);
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const auto a = actions[i];
    if (is_of_ready(a) && i != 0) return "what ready() does is not the first";
    if (a == action::open) {
      if (r.open || r.ends != 0) return "accepts twice, or after its end";
      r.open = true;
    }
    if (a == action::watch) r.watched = true;
    if (a == action::ask_back && !r.watched) return "asks a predecessor that is not watched";
    if (a == action::stay) {
      if (r.stayed || !r.watched) return "is committed twice, or unseen";
      r.stayed = true;
    }
    if (a == action::serve_path && !r.stayed) return "answers for its predecessor";
    if (a == action::end_alone || a == action::go_back || a == action::hand_over) ++r.ends;
  }
  if (r.ends > 1) return "ends twice";
  if ((r.ends == 1) != r.process.drains()) return "drains without an end, or does not after it";
  if (before.committed() && !r.process.committed()) return "is not committed any more";
  if (before.drains() && !r.process.drains()) return "comes back";
  if (before.handed_over() && !r.process.handed_over()) return "comes back from a handover";
  if (r.process.in_probation() && (r.process.committed() || !r.open)) return "a false probation";
  if (r.process.current() == stage::serving && !(r.open && r.process.committed())) {
    return "serves without its sockets";
  }
  return {};
}

}  // namespace

TEST_CASE("a process without a predecessor starts, serves, and hands over to its successor") {
  life process{false};
  CHECK(process.committed());
  CHECK(process.resume(event::ready_called) == life::actions{action::open});
  CHECK(process.resume(event::opened) == life::actions{action::say_serves});
  CHECK(process.current() == stage::serving);
  CHECK(process.resume(event::succeeded) == life::actions{action::hand_over});
  CHECK(process.handed_over());
}

TEST_CASE("a successor announces itself, accepts, and stays when it is committed") {
  life process{true};
  CHECK(process.resume(event::ready_called) == life::actions{action::announce});
  CHECK(process.resume(event::announced) == life::actions{action::open});
  CHECK(process.resume(event::opened) == life::actions{action::watch});
  CHECK_FALSE(process.committed());
  CHECK(process.resume(event::committed) == life::actions{action::stay, action::serve_path});
  CHECK(process.current() == stage::serving);
}

TEST_CASE("a successor that is rolled back drains, and its predecessor serves") {
  auto process = in_probation();
  CHECK(process.resume(event::rolled_back) == life::actions{action::go_back});
  CHECK(process.handed_over());
  CHECK_FALSE(process.committed());
}

TEST_CASE("a successor that its predecessor does not accept fails in ready(), each time") {
  auto process = after(true, {event::ready_called});
  CHECK(process.resume(event::not_accepted) == life::actions{action::refuse_ready});
  CHECK(process.resume(event::ready_called) == life::actions{action::refuse_ready});
}

TEST_CASE("a successor that was given up before it is ready gives everything back") {
  life process{true};
  CHECK(process.resume(event::given_up) == life::actions{action::give_back});
  CHECK(process.resume(event::ready_called) == life::actions{action::refuse_ready});
  CHECK(process.resume(event::told_to_end) == life::actions{action::tell_end, action::end_alone});
}

TEST_CASE("a successor that drains before it is ready still gives back what it was passed") {
  auto process = after(true, {event::told_to_end});
  CHECK(process.resume(event::given_up) == life::actions{action::give_back});
  CHECK(process.current() == stage::draining);
}

TEST_CASE("a server that is told to end settles its upgrade first, and may have a successor then") {
  auto process = serving();
  CHECK(process.resume(event::told_to_end) ==
        life::actions{action::tell_end, action::settle_upgrade});
  CHECK(process.resume(event::told_to_end).empty());
  SUBCASE("without one it ends alone") {
    CHECK(process.resume(event::upgrade_settled) == life::actions{action::end_alone});
  }
  SUBCASE("with one it hands over") {
    CHECK(process.resume(event::succeeded) == life::actions{action::hand_over});
    CHECK(process.resume(event::upgrade_settled).empty());
  }
  CHECK(process.drains());
}

TEST_CASE("a process that is told to end in its probation asks its predecessor to go on") {
  auto process = in_probation();
  CHECK(process.resume(event::told_to_end) == life::actions{action::tell_end, action::ask_back});
  CHECK(process.resume(event::told_to_end).empty());
  SUBCASE("the predecessor does") {
    CHECK(process.resume(event::rolled_back) == life::actions{action::go_back});
  }
  SUBCASE("the predecessor has died: nobody serves after it") {
    CHECK(process.resume(event::committed) ==
          life::actions{action::stay, action::end_alone, action::serve_path});
    CHECK(process.current() == stage::draining);
  }
  SUBCASE("told once more, in a hurry, it does not wait for the answer") {
    CHECK(process.resume(event::told_to_end_now) == life::actions{action::go_back});
    CHECK(process.in_a_hurry());
  }
}

TEST_CASE("a process that is told to end before it is ready never accepts") {
  SUBCASE("alone") {
    auto process = after(false, {event::told_to_end});
    CHECK(process.resume(event::ready_called) == life::actions{action::say_unserved});
  }
  SUBCASE("as a successor") {
    auto process = after(true, {event::told_to_end});
    CHECK(process.resume(event::ready_called) == life::actions{action::refuse_ready});
  }
  SUBCASE("while it waits for its predecessor, which goes on") {
    auto process = after(true, {event::ready_called});
    CHECK(process.resume(event::told_to_end) == life::actions{action::break_off});
    CHECK(process.resume(event::not_accepted) ==
          life::actions{action::refuse_ready, action::tell_end, action::end_alone});
  }
  SUBCASE("while it waits for its predecessor, which has answered") {
    auto process = after(true, {event::ready_called, event::told_to_end});
    CHECK(process.resume(event::announced) == life::actions{action::tell_end, action::go_back});
  }
}

TEST_CASE("a process that is told to end while it begins to accept does so as if told just after") {
  SUBCASE("alone") {
    auto process = after(false, {event::ready_called, event::told_to_end});
    CHECK(process.resume(event::opened) ==
          life::actions{action::say_serves, action::tell_end, action::settle_upgrade});
  }
  SUBCASE("as a successor") {
    auto process = after(true, {event::ready_called, event::announced, event::told_to_end});
    CHECK(process.resume(event::opened) ==
          life::actions{action::watch, action::tell_end, action::ask_back});
  }
}

TEST_CASE("a process that drains is cut when it is told to end now, and only then") {
  auto process = after(false, {event::ready_called, event::opened, event::succeeded});
  CHECK(process.resume(event::told_to_end).empty());
  CHECK(process.resume(event::told_to_end_now) == life::actions{action::hurry});
  CHECK(process.in_a_hurry());
}

TEST_CASE("whatever happens, in whatever order, a life ends once and never goes back") {
  std::vector<record> seen{{life{false}}, {life{true}}};
  for (std::size_t at = 0; at < seen.size(); ++at) {
    for (const auto e : all_events) {
      auto next = seen[at];
      next.path.push_back(e);
      const auto wrong = wrong_with(next, e);
      if (!wrong.empty()) {
        std::string path;
        for (const auto each : next.path) path += std::to_string(static_cast<int>(each)) + ' ';
        FAIL_CHECK(wrong << ", after the events " << path);
        continue;
      }
      if (std::ranges::find(seen, next) == seen.end()) seen.push_back(next);
    }
  }
  CHECK(seen.size() > 30);
}

TEST_CASE("a process that was told to end ends, whatever the others answer") {
  // What the glue brings to each stage that waits for something.
  const auto answers = [](stage s) -> std::vector<event> {
    switch (s) {
      case stage::announcing:
        return {event::announced, event::not_accepted};
      case stage::opening:
        return {event::opened};
      case stage::leaving:
        return {event::committed, event::rolled_back, event::told_to_end_now};
      case stage::serving:
        return {event::upgrade_settled, event::succeeded};
      default:
        return {};
    }
  };
  std::vector<life> told;
  for (const bool successor : {false, true}) {
    std::vector<life> seen{life{successor}};
    for (std::size_t at = 0; at < seen.size(); ++at) {
      for (const auto e : all_events) {
        auto next = seen[at];
        next.resume(e);
        if (std::ranges::find(seen, next) == seen.end()) seen.push_back(next);
      }
    }
    for (auto each : seen) {
      each.resume(event::told_to_end);
      told.push_back(each);
    }
  }
  for (std::size_t at = 0; at < told.size(); ++at) {
    const auto possible = answers(told[at].current());
    CHECK((told[at].drains() || !possible.empty()));
    for (const auto e : possible) {
      auto next = told[at];
      next.resume(e);
      if (std::ranges::find(told, next) == told.end()) told.push_back(next);
    }
  }
}
