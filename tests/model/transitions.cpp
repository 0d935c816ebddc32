// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
// Prints what the machines of lib/handoff and the life of a process can do, for the model to be
// compared with: all names, and every transition that can be reached by events in an order that
// their surroundings allow.
#include "handoff/predecessor.hpp"
#include "handoff/successor.hpp"
#include "server/life.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace graceful::handoff;
namespace wire = graceful::wire;
using predecessor_state = predecessor::state;
using successor_state = successor::state;

/// The last word of the compiler's name for `T`, or for the enumerator `V`.
std::string last_word(std::string_view function) {
  const auto end = function.find_last_not_of("];", function.find_first_of(";]"));
  const auto begin = function.find_last_of(":) ", end) + 1;
  return std::string{function.substr(begin, end - begin + 1)};
}

template <class T>
std::string type_name() {
  return last_word(__PRETTY_FUNCTION__);
}

template <auto V>
std::string value_name() {
  return last_word(__PRETTY_FUNCTION__);
}

/// The values that the enumeration has; the compiler names others by a number.
template <class E, std::size_t... I>
std::vector<std::string> enumerators(std::index_sequence<I...> /*range*/) {
  std::vector<std::string> all{value_name<static_cast<E>(I)>()...};
  (void)std::erase_if(all, [](const auto& name) {
    return name.find_first_not_of("0123456789") == std::string::npos;
  });
  return all;
}

template <class E>
const std::vector<std::string>& names_of() {
  static const auto names = enumerators<E>(std::make_index_sequence<32>{});
  return names;
}

template <class E>
std::string name(E value) {
  return names_of<E>().at(static_cast<std::size_t>(value));
}

template <class... T>
std::string name(const std::variant<T...>& value) {
  return std::visit([](const auto& each) { return type_name<std::decay_t<decltype(each)>>(); },
                    value);
}

template <class... T>
void print_names(const char* of, const std::variant<T...>* /*type*/) {
  for (const auto& each : {type_name<T>()...}) std::cout << of << ' ' << each << '\n';
}

template <class E>
void print_names(const char* of) {
  for (const auto& each : names_of<E>()) std::cout << of << ' ' << each << '\n';
}

/// An event, and its details as the model names them: for Begin, what the token is; for an exit,
/// whether it was the successor itself.
template <class E>
struct step {
  E event;
  int detail = 0;
};

/// The predecessor's machine, and what its actions tell about its inner state. Peer 1 is the
/// successor in question, peer 2 another one.
struct situation {
  predecessor machine;
  bool spawn_asked = false;
  bool child_alive = false;
  bool timer_armed = false;
  bool passed = false;
  bool settling = false;
  bool asked = false;

  [[nodiscard]] std::string flags() const {
    std::string text;
    for (const bool flag :
         {child_alive, machine.successor().has_value(), passed, settling, asked}) {
      text += flag ? '1' : '0';
    }
    return text;
  }

  [[nodiscard]] std::string key() const {
    return name(machine.current()) + flags() + (machine.is_successor(1) ? '1' : '0') +
           (spawn_asked ? '1' : '0') + (timer_armed ? '1' : '0');
  }

  [[nodiscard]] bool possible(const predecessor_event& e) const {
    const bool answers_spawn =
        std::holds_alternative<event::spawned>(e) || std::holds_alternative<event::spawn_failed>(e);
    if (answers_spawn != spawn_asked) return false;
    if (std::holds_alternative<event::timeout>(e)) return timer_armed;
    if (const auto* exited = std::get_if<event::exited>(&e)) {
      return child_alive && (!exited->had_connected || machine.successor());
    }
    return true;
  }

  predecessor_actions take(const predecessor_event& e);
};

predecessor_actions situation::take(const predecessor_event& e) {
  if (std::holds_alternative<event::spawned>(e)) child_alive = true;
  if (std::holds_alternative<event::exited>(e)) child_alive = false;
  if (std::holds_alternative<event::timeout>(e)) timer_armed = false;
  spawn_asked = false;
  auto actions = machine.resume(e, 2);
  for (const auto& a : actions) {
    const auto what = name(a);
    if (what == "spawn") spawn_asked = true;
    if (what.starts_with("arm_")) timer_armed = true;
    if (what == "disarm_timer") timer_armed = false;
    if (what == "retire_successor") child_alive = false;
    if (what == "report_passed") passed = true;
    if (what == "pause_accepting") settling = true;
    if (what == "arm_confirmation") asked = std::holds_alternative<event::ready>(e);
    if (const auto* said = std::get_if<action::settle>(&a)) {
      asked = asked || !said->settled;
      settling = false;
    }
  }
  if (!machine.successor()) passed = settling = asked = false;
  return actions;
}

std::vector<step<predecessor_event>> predecessor_events() {
  const std::vector<std::int64_t> versions{wire::handoff_version};
  std::vector<step<predecessor_event>> all{{event::upgrade{"token"}},
                                           {event::spawned{1}},
                                           {event::spawn_failed{"why"}},
                                           {event::exited{"ended", false}, 0},
                                           {event::exited{"ended", true}, 1},
                                           {event::timeout{}},
                                           {event::abort{}},
                                           {event::commit{}},
                                           {event::rollback{"why"}},
                                           {event::shutdown{}}};
  for (const peer_id peer : {1U, 2U}) {
    all.push_back({event::begin{peer, {versions, ""}}, 0});
    all.push_back({event::begin{peer, {versions, "token"}}, 1});
    all.push_back({event::begin{peer, {versions, "stale"}}, 2});
    all.push_back({event::fetch{peer, {0}}});
    all.push_back({event::ready{peer}});
    all.push_back({event::fail{peer, {"why"}}});
    all.push_back({event::settle{peer}});
    all.push_back({event::closed{peer}});
  }
  return all;
}

void walk_predecessor(bool has_probation, std::set<std::string>& lines) {
  std::set<std::string> seen;
  std::deque<situation> open{{.machine = predecessor{has_probation}}};
  while (!open.empty()) {
    const auto from = open.front();
    open.pop_front();
    for (const auto& [e, detail] : predecessor_events()) {
      if (!from.possible(e)) continue;
      auto next = from;
      const auto actions = next.take(e);
      // The token of an upgrade that is over is stale.
      const bool over = detail == 1 && std::holds_alternative<event::begin>(e) &&
                        from.machine.current() != predecessor_state::spawning;
      std::string line = "predecessor " + name(from.machine.current()) + ' ' + name(e) + ' ' +
                         std::to_string(over ? 2 : detail) + ' ' + from.flags() + " :";
      for (const auto& a : actions) line += ' ' + name(a);
      lines.insert(line + " -> " + name(next.machine.current()));
      if (seen.insert(next.key()).second) open.push_back(next);
    }
  }
}

void walk_successor(std::set<std::string>& lines) {
  const auto replied = [](wire::reply reply, std::uint64_t descriptors) {
    return event::replied{std::move(reply), descriptors, false};
  };
  wire::reply error;
  error.error = "io.graceful.Handoff.Aborted";
  const event::replied begun = replied(wire::to_reply(wire::begun{1, 2, "name", 2}), 0);
  const event::replied batch =
      replied(wire::to_reply(wire::batch{0, std::vector<std::string>{"@lock", "@control"}}), 2);
  const event::replied readied = replied(wire::to_reply(wire::readied{}), 0);

  successor machine{"token"};
  const auto print = [&](successor from, const successor_event& e, const std::string& detail) {
    std::string line = "successor " + name(from.current()) + ' ' + name(e) + ' ' + detail + " - :";
    line += ' ' + name(from.resume(e));
    lines.insert(line + " -> " + name(from.current()));
  };
  const auto print_failures = [&] {
    print(machine, replied(error, 0), "error");
    print(machine, event::garbled{}, "0");
    print(machine, event::overdue{}, "0");
    print(machine, event::disconnected{true}, "1");
    print(machine, event::disconnected{false}, "0");
  };
  print(machine, event::connected{}, "0");
  (void)machine.resume(event::connected{});
  print_failures();
  print(machine, begun, "begun");
  (void)machine.resume(begun);
  print_failures();
  print(machine, batch, "batch");
  (void)machine.resume(batch);
  print(machine, event::initialised{}, "0");
  (void)machine.resume(event::initialised{});
  print_failures();
  print(machine, readied, "readied");
}

void walk_life(std::set<std::string>& lines) {
  using graceful::life;
  std::vector<life> seen{life{false}, life{true}};
  for (std::size_t at = 0; at < seen.size(); ++at) {
    for (std::size_t i = 0; i < names_of<life::event>().size(); ++i) {
      const auto e = static_cast<life::event>(i);
      const auto from = seen[at];
      auto next = from;
      std::string line = "life " + name(from.current()) + ' ' + name(e) + " 0 ";
      for (const bool flag : {from.committed(), from.was_ready(), from.told_to_end()}) {
        line += flag ? '1' : '0';
      }
      line += " :";
      for (const auto a : next.resume(e)) line += ' ' + name(a);
      lines.insert(line + " -> " + name(next.current()));
      if (std::ranges::find(seen, next) == seen.end()) seen.push_back(next);
    }
  }
}

}  // namespace

int main() {
  print_names<predecessor_state>("predecessor_state");
  print_names("predecessor_event", static_cast<predecessor_event*>(nullptr));
  print_names("predecessor_action", static_cast<predecessor_action*>(nullptr));
  print_names<successor_state>("successor_state");
  print_names("successor_event", static_cast<successor_event*>(nullptr));
  print_names("successor_action", static_cast<successor_action*>(nullptr));
  print_names<graceful::life::stage>("life_state");
  print_names<graceful::life::event>("life_event");
  print_names<graceful::life::action>("life_action");
  std::set<std::string> lines;
  walk_predecessor(true, lines);
  walk_predecessor(false, lines);
  walk_successor(lines);
  walk_life(lines);
  for (const auto& line : lines) std::cout << "transition " << line << '\n';
}
