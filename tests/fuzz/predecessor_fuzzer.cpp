// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"
#include "handoff/predecessor_world.hpp"

#include "fuzz_input.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

/// The life of a process as a predecessor: upgrade after upgrade, with everything that can happen
/// to each. The input: whether there is a probation, then two bytes for each event, what and who.
using namespace graceful_test;

namespace {

constexpr std::array<std::uint64_t, 8> offers{2, 3, 252, 253, 254, 506, 507, 1000};

/// Eight connections at a time; when one has closed, a new one takes its place.
struct connections {
  std::array<peer_id, 8> open{1, 2, 3, 4, 5, 6, 7, 8};

  [[nodiscard]] peer_id at(std::uint8_t who) const { return open[who % open.size()]; }
  void close(std::uint8_t who) { open[who % open.size()] += open.size(); }
};

struct life {
  predecessor_world world;
  connections peers{};
  int upgrades = 0;

  std::string token(std::uint8_t which) const {
    switch (which % 4) {
      case 0:
        return world.token;
      case 1:
        return {};
      case 2:
        return "t" + std::to_string(upgrades - 1);  // of the previous upgrade
      default:
        return "wrong";
    }
  }

  static std::vector<std::int64_t> versions(std::uint8_t which) {
    switch (which % 8) {
      case 0:
        return {2};
      case 1:
        return {};
      case 2:
        return {2, 1};
      default:
        return {1};
    }
  }

  /// `who`: a connection in its lower 3 bits, a variant in the others.
  predecessor_event read(std::uint8_t what, std::uint8_t who) {
    const auto peer = peers.at(who);
    const auto variant = static_cast<std::uint8_t>(who >> 3);
    switch (what % 16) {
      case 0:
        world.descriptors = offers[who % offers.size()];
        return event::upgrade{"t" + std::to_string(upgrades + 1)};
      case 1:
        return event::spawned{812};
      case 2:
        return event::spawn_failed{"no"};
      case 3:
        return begin(peer, token(variant), versions(static_cast<std::uint8_t>(variant >> 2)));
      case 4:
        return fetch(peer, world.passed);
      case 5:
        return fetch(peer, variant * std::uint64_t{33});
      case 6:
        return event::ready{peer};
      case 7:
        return fail(peer, "no");
      case 8:
        return event::settle{peer};
      case 9:
        return event::closed{peer};
      case 10:
        return event::exited{"ended", who % 2 == 1};
      case 11:
        return event::timeout{};
      case 12:
        return event::abort{};
      case 13:
        return event::commit{};
      case 14:
        return event::rollback{"why"};
      default:
        return event::shutdown{};
    }
  }

  void take(const predecessor_event& e) {
    const bool was_idle = world.machine.idle();
    const auto wrong = world.take(e);
    require(wrong.empty(), wrong);
    if (was_idle || !world.machine.idle()) return;
    const auto no = world.next_upgrade();
    require(no.empty(), "in the upgrade that follows: " + no);
  }

  void step(std::uint8_t what, std::uint8_t who) {
    const auto e = read(what, who);
    if (!world.possible(e)) return;
    take(e);
    if (std::holds_alternative<event::upgrade>(e)) ++upgrades;
    if (std::holds_alternative<event::closed>(e)) peers.close(who);
  }

  /// Only the clock goes on, and killed processes die.
  void run_out() {
    if (world.spawn_asked) take(event::spawned{812});
    for (int steps = 0; !world.machine.idle() && world.stops == 0; ++steps) {
      require(steps < 8, "an upgrade ends, if only by the clock");
      if (world.timer_armed) {
        take(event::timeout{});
      } else {
        require(world.child_alive && world.killed, "there is something to wait for");
        take(event::exited{"was killed", false});
      }
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  const bool has_probation = input.byte() % 2 == 1;
  life life{.world{.machine = graceful::handoff::predecessor{has_probation}}};
  while (!input.ended()) {
    const auto what = input.byte();
    life.step(what, input.byte());
  }
  life.run_out();
  return 0;
}
