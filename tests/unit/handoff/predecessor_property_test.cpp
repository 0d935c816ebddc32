// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"
#include "handoff/predecessor_world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

using namespace graceful_test;

namespace {

constexpr int depth = 6;
constexpr int depth_around_probation = 4;  // from a successor that has everything on

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

/// Where nobody is in probation these do nothing, which has tests of its own.
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

  void explore(const predecessor_world& from) {
    for (std::size_t i = 0; i < alphabet().size(); ++i) {
      const auto& e = alphabet()[i];
      if (!from.possible(e)) continue;
      if (concerns_probation(e) && !from.has_probation && !from.machine.in_probation()) continue;
      predecessor_world next = from;
      ++explored;
      path.push_back(i);
      const auto wrong = next.take(e);
      if (!wrong.empty() && ++failures < 10) {
        FAIL_CHECK(wrong << ", after the events (by their index) " << path_text());
      }
      if (!from.machine.idle() && next.machine.idle()) {
        if (const auto no = next.next_upgrade(); !no.empty() && ++failures < 10) {
          FAIL_CHECK(no << ", in the upgrade after " << path_text());
        }
      }
      if (wrong.empty() && static_cast<int>(path.size()) < deepest) explore(next);
      path.pop_back();
    }
  }
};

}  // namespace

TEST_CASE("whatever happens around a probation, the predecessor keeps its promises") {
  using events = std::vector<predecessor_event>;
  for (const auto& ladder :
       {events{event::upgrade{"right"}, event::spawned{812}, begin(1, "right"), fetch(1, 0)},
        events{begin(1), fetch(1, 0)}}) {
    predecessor_world w{.machine = graceful::handoff::predecessor{true}, .has_probation = true};
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
