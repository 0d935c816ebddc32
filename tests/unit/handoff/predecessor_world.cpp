// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor_world.hpp"

#include "handoff/action_text.hpp"
#include "os/channel.hpp"

#include <limits>
#include <utility>
#include <variant>
#include <vector>

namespace graceful_test {

using state = graceful::handoff::predecessor::state;

namespace {

template <class T>
bool has(const predecessor_actions& actions) {
  for (const auto& a : actions) {
    if (std::holds_alternative<T>(a)) return true;
  }
  return false;
}

std::optional<peer_id> peer_of(const predecessor_event& e) {
  return std::visit(
      [](const auto& each) -> std::optional<peer_id> {
        if constexpr (requires { each.peer; }) return each.peer;
        return {};
      },
      e);
}

}  // namespace

bool predecessor_world::possible(const predecessor_event& e) const {
  if (std::holds_alternative<event::spawned>(e) || std::holds_alternative<event::spawn_failed>(e))
    return spawn_asked;
  if (spawn_asked) return false;  // the answer to spawn comes before anything else
  if (const auto* exited = std::get_if<event::exited>(&e)) {
    return child_alive && (!exited->had_connected || machine.successor());
  }
  if (std::holds_alternative<event::timeout>(e)) return timer_armed;
  if (const auto peer = peer_of(e)) {
    // The calls of a connection are taken one after the other.
    if (settling == peer && !std::holds_alternative<event::closed>(e)) return false;
    return !closed.contains(*peer);
  }
  return true;
}

std::string predecessor_world::take(const predecessor_event& e) {
  if (std::holds_alternative<event::spawned>(e)) child_alive = true;
  if (std::holds_alternative<event::exited>(e)) child_alive = false;
  if (std::holds_alternative<event::timeout>(e)) timer_armed = false;
  if (std::holds_alternative<event::spawned>(e) || std::holds_alternative<event::spawn_failed>(e))
    spawn_asked = false;
  if (const auto* c = std::get_if<event::closed>(&e)) closed.insert(c->peer);
  if (const auto* c = std::get_if<event::closed>(&e); c && settling == c->peer) settling.reset();

  const auto before = machine.current();
  const auto successor_before = machine.successor();
  const auto actions = machine.resume(e, descriptors);
  if (auto wrong = follow(actions, e); !wrong.empty()) return wrong;

  // A refusal changes nothing, except that a spawned successor may share no version.
  const bool unanswered = actions.empty() || has<action::pause_accepting>(actions);
  if (const auto* settle = std::get_if<event::settle>(&e); settle != nullptr && unanswered) {
    settling = settle->peer;
  }
  const bool refused = has<action::refuse>(actions);
  const auto* begun = std::get_if<event::begin>(&e);
  const bool of_spawned = begun != nullptr && !token.empty() && begun->message.token == token;
  const bool answers_settle = has<action::resume_accepting>(actions);
  if (refused && !of_spawned && !answers_settle &&
      (actions.size() != 1 || machine.current() != before ||
       machine.successor() != successor_before)) {
    return "a refused peer changed something";
  }
  return contradiction();
}

std::string predecessor_world::follow(const predecessor_actions& actions,
                                      const predecessor_event& e) {
  for (const auto& a : actions) {
    const bool stops_now = std::holds_alternative<action::stop_accepting>(a);
    if (stops_now && ++stops > 1) return "stop_accepting came twice";
    const bool answers_ready = std::holds_alternative<action::acknowledge_ready>(a);
    if (answers_ready && std::exchange(readied, true)) return "ready is who was ready";
    if (stops_now && !std::exchange(readied, false)) {
      return "stops for good before the successor has taken over";
    }
    if (stops_now) paused = false;
    const bool pauses = std::holds_alternative<action::pause_accepting>(a);
    if (pauses && std::exchange(paused, true)) return "pauses what is paused";
    if (pauses && !(readied && std::holds_alternative<event::settle>(e))) {
      return "accepting stops before the successor accepts";
    }
    if (std::holds_alternative<action::resume_accepting>(a)) {
      if (!std::exchange(readied, false)) return "resumes before the successor was ready";
      paused = false;
    }
    if (const auto* spawn = std::get_if<action::spawn>(&a)) {
      spawn_asked = true;
      token = spawn->token;
    }
    if (auto wrong = pass(a); !wrong.empty()) return wrong;
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
  return {};
}

/// Checks that what is on offer is passed once, in order, and that Ready is accepted after all of
/// it.
std::string predecessor_world::pass(const predecessor_action& a) {
  if (std::holds_alternative<action::reply_begun>(a)) {
    offered = descriptors;
    passed = 0;
  }
  if (const auto* batch = std::get_if<action::reply_batch>(&a)) {
    if (batch->first != passed) return "passes what is not next";
    passed += batch->count;
    if (batch->count == 0 || batch->count > graceful::os::max_descriptors || passed > offered) {
      return "passes too many, or none";
    }
  }
  const bool complete = std::holds_alternative<action::report_passed>(a) ||
                        std::holds_alternative<action::acknowledge_ready>(a);
  return complete && passed != offered ? "has not passed everything" : "";
}

std::string predecessor_world::contradiction() const {
  const auto now = machine.current();
  const bool on_its_way = machine.under_way() || machine.in_probation();
  if (on_its_way != upgrade_runs) return "an upgrade got no end, or two";
  if (machine.idle() != (now == state::serving)) return "idle while an upgrade runs";
  if ((now == state::handed_over) != (stops == 1)) return "stopped, but did not hand over";
  if (now == state::serving && child_alive) return "keeps serving beside a successor that is alive";
  if (now == state::serving && timer_armed) return "a timer is left behind";
  if ((now == state::spawning || now == state::passing || machine.in_probation()) && !timer_armed) {
    return "may hang";
  }
  if (readied != machine.in_probation()) return "a successor is ready, but not in a probation";
  if (paused && !readied) return "paused, but nobody is in a probation";
  if (now == state::ending && !timer_armed && !killed) return "may wait for ever";
  if (now == state::ending && !child_alive) return "waits for nobody";
  return {};
}

std::string predecessor_world::next_upgrade() const {
  constexpr peer_id newcomer = std::numeric_limits<peer_id>::max();
  predecessor_world w = *this;
  w.descriptors = 2;
  for (const auto& e : std::vector<predecessor_event>{
           event::upgrade{"next"}, event::spawned{1}, begin(newcomer, "next"), fetch(newcomer, 0),
           event::ready{newcomer}, event::settle{newcomer}, event::commit{},
           event::settle{newcomer}}) {
    if (auto wrong = w.take(e); !wrong.empty()) return wrong;
  }
  return w.stops == 1 ? "" : "there is none";
}

}  // namespace graceful_test
