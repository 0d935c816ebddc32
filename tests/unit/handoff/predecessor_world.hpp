// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "handoff/predecessor.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace graceful_test {

using graceful::handoff::peer_id;
using graceful::handoff::predecessor_action;
using graceful::handoff::predecessor_actions;
using graceful::handoff::predecessor_event;

/// The machine, and what its surroundings know from its actions alone.
struct predecessor_world {
  graceful::handoff::predecessor machine{};
  bool readied = false;
  bool paused = false;
  std::optional<peer_id> settling{};  // waits for the answer to Settle
  bool spawn_asked = false;
  bool child_alive = false;
  bool timer_armed = false;
  bool upgrade_runs = false;
  bool killed = false;
  int stops = 0;
  std::set<peer_id> closed{};
  std::string token{};            // of the successor that was last spawned
  std::uint64_t descriptors = 2;  // on offer now
  std::uint64_t offered = 0;      // to the successor that has begun
  std::uint64_t passed = 0;

  /// A spawned process ends once, a connection closes once, and a timer that is not armed does not
  /// fire.
  [[nodiscard]] bool possible(const predecessor_event& e) const;

  /// Takes the event; returns what is wrong with the resulting actions.
  std::string take(const predecessor_event& e);

  /// Checks that the next upgrade works, whatever has happened. Returns what is wrong.
  [[nodiscard]] std::string next_upgrade() const;

  /// Equal worlds have the same future.
  std::strong_ordering operator<=>(const predecessor_world&) const = default;

 private:
  std::string follow(const predecessor_actions& actions, const predecessor_event& e);
  std::string pass(const predecessor_action& a);
  [[nodiscard]] std::string contradiction() const;
};

}  // namespace graceful_test
