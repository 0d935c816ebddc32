// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "handoff/predecessor.hpp"
#include "handoff/successor.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace graceful_test {

namespace wire = graceful::wire;
namespace event = graceful::handoff::event;
namespace action = graceful::handoff::action;

/// The actions in one line, so that a test reads as a ladder: "arm_timer; spawn(token)". Leaves out
/// the sentences of refusals: "refuse(2, busy)".
std::string to_text(const graceful::handoff::predecessor_actions& actions);

/// "send(Fetch 253)", "keep(1, Fetch 1)", "keep(2, complete)", "serve", "abandon(busy)".
std::string to_text(const graceful::handoff::successor_action& action);

/// A predecessor, and the number of descriptors that it has on offer.
struct predecessor_ladder {
  graceful::handoff::predecessor machine;
  std::uint64_t descriptors = 3;

  using state = graceful::handoff::predecessor::state;

  std::string on(const graceful::handoff::predecessor_event& e) {
    return to_text(machine.resume(e, descriptors));
  }
  [[nodiscard]] state current() const { return machine.current(); }
};

inline event::begin begin(graceful::handoff::peer_id peer, std::string token = {},
                          std::vector<std::int64_t> versions = {1}) {
  return {peer, {std::move(versions), std::move(token)}};
}
inline event::fetch fetch(graceful::handoff::peer_id peer, std::uint64_t first) {
  return {peer, {first}};
}
inline event::fail fail(graceful::handoff::peer_id peer, std::string reason) {
  return {peer, {std::move(reason)}};
}

}  // namespace graceful_test
