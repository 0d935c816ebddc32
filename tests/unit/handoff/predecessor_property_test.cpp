// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

using namespace graceful_test;
using graceful::handoff::peer_id;
using graceful::handoff::predecessor_actions;
using graceful::handoff::predecessor_event;
using state = predecessor_ladder::state;

namespace {

constexpr int depth = 6;
constexpr int depth_around_probation = 4;  // from a successor that has everything on
constexpr std::uint64_t descriptors = 2;

template <class T>
bool has(const predecessor_actions& actions) {
  for (const auto& a : actions) {
    if (std::holds_alternative<T>(a)) return true;
  }
  return false;
}

/// The machine, and what its surroundings know from its actions alone.
struct world {
  graceful::handoff::predecessor machine;
  bool has_probation = false;
  bool paused = false;
  std::optional<peer_id> settling{};  // waits for the answer to Settle
  bool spawn_asked = false;
  bool child_alive = false;
  bool timer_armed = false;
  bool upgrade_runs = false;
  bool killed = false;
  int stops = 0;
  std::set<peer_id> closed{};

  /// A spawned process ends once, a connection closes once, a timer that is not armed is silent.
  [[nodiscard]] bool possible(const predecessor_event& e) const {
    if (std::holds_alternative<event::spawned>(e) || std::holds_alternative<event::spawn_failed>(e))
      return spawn_asked;
    if (spawn_asked) return false;  // the answer to spawn comes before anything else
    if (const auto* exited = std::get_if<event::exited>(&e)) {
      return child_alive && (!exited->had_connected || machine.successor());
    }
    if (std::holds_alternative<event::timeout>(e)) return timer_armed;
    if (const auto peer = peer_of(e)) {
      // A connection's calls are taken one after the other.
      if (settling == peer && !std::holds_alternative<event::closed>(e)) return false;
      return !closed.contains(*peer);
    }
    return true;
  }

  static std::optional<peer_id> peer_of(const predecessor_event& e) {
    return std::visit(
        [](const auto& each) -> std::optional<peer_id> {
          if constexpr (requires { each.peer; }) return each.peer;
          return {};
        },
        e);
  }

  /// Takes the event; returns what is wrong with what came of it.
  std::string take(const predecessor_event& e);
  std::string follow(const predecessor_actions& actions, const predecessor_event& e);
  [[nodiscard]] std::string contradiction() const;
};

std::string world::take(const predecessor_event& e) {
  if (std::holds_alternative<event::spawned>(e)) child_alive = true;
  if (std::holds_alternative<event::exited>(e)) child_alive = false;
  if (std::holds_alternative<event::timeout>(e)) timer_armed = false;
  if (std::holds_alternative<event::spawned>(e) || std::holds_alternative<event::spawn_failed>(e))
    spawn_asked = false;
  if (const auto* c = std::get_if<event::closed>(&e)) closed.insert(c->peer);
  if (const auto* c = std::get_if<event::closed>(&e); c && settling == c->peer) settling.reset();

  const auto before = machine.current();
  const bool was_peer[] = {machine.is_successor(1), machine.is_successor(2)};
  const auto actions = machine.resume(e, descriptors);
  if (auto wrong = follow(actions, e); !wrong.empty()) return wrong;

  // A refusal changes nothing, but that the spawned successor itself may have no version to offer.
  if (const auto* settle = std::get_if<event::settle>(&e); settle != nullptr && actions.empty()) {
    settling = settle->peer;
  }
  const bool refused = has<action::refuse>(actions);
  const auto* begun = std::get_if<event::begin>(&e);
  const bool of_spawned = begun != nullptr && begun->message.token == "right";
  const bool answers_settle = has<action::resume_accepting>(actions);
  if (refused && !of_spawned && !answers_settle &&
      (actions.size() != 1 || machine.current() != before ||
       machine.is_successor(1) != was_peer[0] || machine.is_successor(2) != was_peer[1])) {
    return "a refused peer changed something";
  }
  return contradiction();
}

std::string world::follow(const predecessor_actions& actions, const predecessor_event& e) {
  bool stopped_just_now = false;
  for (const auto& a : actions) {
    if (stopped_just_now && !std::holds_alternative<action::acknowledge_ready>(a) &&
        !std::holds_alternative<action::settle>(a)) {
      return "no acknowledge follows where accepting stops";
    }
    const bool stops_now = std::holds_alternative<action::stop_accepting>(a);
    if (stops_now && ++stops > 1) return "stop_accepting came twice";
    if (stops_now && paused != has_probation) return "stops for good without a probation";
    if (stops_now) paused = false;
    const bool pauses = std::holds_alternative<action::pause_accepting>(a);
    if (pauses && std::exchange(paused, true)) return "pauses what is paused";
    if (std::holds_alternative<action::resume_accepting>(a) && !std::exchange(paused, false)) {
      return "resumes what is not paused";
    }
    stopped_just_now = has_probation ? pauses : stops_now;
    if (stopped_just_now && !std::holds_alternative<event::ready>(e)) {
      return "accepting stops without Ready";
    }
    if (std::holds_alternative<action::spawn>(a)) spawn_asked = true;
    if (std::holds_alternative<action::arm_timer>(a)) timer_armed = true;
    if (std::holds_alternative<action::arm_probation>(a)) timer_armed = true;
    if (std::holds_alternative<action::arm_confirmation>(a)) timer_armed = true;
    if (std::holds_alternative<action::retire_successor>(a)) {
      if (!child_alive) return "retires what has ended";
      child_alive = false;
    }
    if (std::holds_alternative<action::disarm_timer>(a)) timer_armed = false;
    if (std::holds_alternative<action::kill_successor>(a)) {
      if (!child_alive) return "kills what has ended";
      killed = true;
    }
    if (std::holds_alternative<action::spawn>(a) ||
        (std::holds_alternative<action::report_begun>(a) && !upgrade_runs)) {
      if (upgrade_runs) return "an upgrade within an upgrade";
      upgrade_runs = true;
      killed = false;
    }
    const bool failed = std::holds_alternative<action::report_failed>(a);
    if (failed || std::holds_alternative<action::report_committed>(a)) {
      if (!upgrade_runs) return "reports the end of an upgrade that does not run";
      upgrade_runs = false;
    }
    if (failed && machine.current() != state::serving) return "does not serve after a failure";
    const auto to = std::visit(
        [](const auto& each) -> std::optional<peer_id> {
          if constexpr (requires { each.peer; }) return each.peer;
          return {};
        },
        a);
    if (to && closed.contains(*to)) return "speaks to a peer that has gone";
    const auto from = peer_of(e);
    const auto* settle = std::get_if<action::settle>(&a);
    const bool unasked =
        std::holds_alternative<action::abort_peer>(a) || (settle != nullptr && !settle->asked);
    if (settle != nullptr && settle->settled != (stops == 1)) return "says what is not so";
    if (to && !unasked && to != from && to != settling) return "answers somebody who did not call";
    if (to && to == settling) settling.reset();
  }
  return stopped_just_now ? "stop_accepting without acknowledge" : "";
}

std::string world::contradiction() const {
  const auto now = machine.current();
  const bool on_its_way = machine.under_way() || machine.in_probation();
  if (on_its_way != upgrade_runs) return "an upgrade got no end, or two";
  if (machine.idle() != (now == state::serving)) return "idle while an upgrade runs";
  if ((now == state::handed_over) != (stops == 1)) return "stopped, but did not hand over";
  if (now == state::serving && child_alive) return "serves on beside a successor that is alive";
  if (now == state::serving && timer_armed) return "a timer is left behind";
  if ((now == state::spawning || now == state::passing || machine.in_probation()) && !timer_armed) {
    return "may hang";
  }
  if (paused != machine.in_probation()) return "paused, but not in a probation";
  if (now == state::ending && !timer_armed && !killed) return "may wait for ever";
  if (now == state::ending && !child_alive) return "waits for nobody";
  return {};
}

const std::vector<predecessor_event>& alphabet() {
  static const std::vector<predecessor_event> events{event::upgrade{"right"},
                                                     event::spawned{812},
                                                     event::spawn_failed{"no"},
                                                     begin(1, "right"),
                                                     begin(1, "right", {2}),
                                                     begin(1, "wrong"),
                                                     begin(1),
                                                     begin(2, "right"),
                                                     begin(2),
                                                     begin(2, "", {2}),
                                                     fetch(1, 0),
                                                     fetch(2, 0),
                                                     fetch(1, 1),
                                                     event::ready{1},
                                                     event::ready{2},
                                                     fail(1, "no"),
                                                     event::closed{1},
                                                     event::closed{2},
                                                     event::exited{"ended"},
                                                     event::exited{"ended", true},
                                                     event::timeout{},
                                                     event::abort{},
                                                     event::settle{1},
                                                     event::commit{},
                                                     event::rollback{"why"},
                                                     event::shutdown{}};
  return events;
}

/// Where there is no probation these do nothing, which has tests of its own.
bool concerns_probation(const predecessor_event& e) {
  return std::holds_alternative<event::settle>(e) || std::holds_alternative<event::commit>(e) ||
         std::holds_alternative<event::rollback>(e);
}

struct explorer {
  int deepest = depth;
  std::size_t explored = 0;
  std::size_t failures = 0;
  std::vector<std::size_t> path{};

  [[nodiscard]] std::string path_text() const {
    std::string text;
    for (const auto index : path) text += std::to_string(index) + ' ';
    return text;
  }

  void explore(const world& from) {
    for (std::size_t i = 0; i < alphabet().size(); ++i) {
      const auto& e = alphabet()[i];
      if (!from.possible(e) || (!from.has_probation && concerns_probation(e))) continue;
      world next = from;
      ++explored;
      path.push_back(i);
      const auto wrong = next.take(e);
      if (!wrong.empty() && ++failures < 10) {
        FAIL_CHECK(wrong << ", after the events (by their index) " << path_text());
      }
      if (!from.machine.idle() && next.machine.idle()) check_next_upgrade(next);
      if (wrong.empty() && static_cast<int>(path.size()) < deepest) explore(next);
      path.pop_back();
    }
  }

  /// Whatever has happened: the next upgrade works.
  void check_next_upgrade(world w) {
    for (const auto& e : std::vector<predecessor_event>{
             event::upgrade{"next"}, event::spawned{1}, begin(9, "next"), fetch(9, 0),
             event::ready{9}, event::settle{9}, event::commit{}, event::settle{9}}) {
      if (const auto wrong = w.take(e); !wrong.empty() && ++failures < 10) {
        FAIL_CHECK(wrong << ", in the upgrade after " << path_text());
      }
    }
    if (w.stops != 1 && ++failures < 10) FAIL_CHECK("no next upgrade after " << path_text());
  }
};

}  // namespace

TEST_CASE("whatever happens around a probation, the predecessor keeps its promises") {
  using events = std::vector<predecessor_event>;
  for (const auto& ladder :
       {events{event::upgrade{"right"}, event::spawned{812}, begin(1, "right"), fetch(1, 0)},
        events{begin(1), fetch(1, 0)}}) {
    world w{.machine = graceful::handoff::predecessor{true}, .has_probation = true};
    for (const auto& e : ladder) REQUIRE(w.take(e).empty());
    explorer e{.deepest = depth_around_probation};
    e.explore(w);
    MESSAGE(e.explored << " sequences");
    CHECK(e.explored > 10'000);
    CHECK(e.failures == 0);
  }
}

TEST_CASE("whatever happens in whatever order, the predecessor keeps its promises") {
  explorer e;
  e.explore({});
  MESSAGE(e.explored << " sequences");
  CHECK(e.explored > 100'000);
  CHECK(e.failures == 0);
}
