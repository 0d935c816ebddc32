// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"
#include "handoff/predecessor_world.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace graceful_test;

namespace {

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

/// Visits every world that any sequence of events leads to, however long. A world that several
/// sequences reach is visited once: equal worlds have the same future.
class walk {
 public:
  explicit walk(const predecessor_world& from) { arrive(from, 0, 0); }

  /// Returns the number of events taken.
  std::size_t run() {
    std::size_t steps = 0;
    for (std::size_t at = 0; at < seen_.size(); ++at) {
      for (std::size_t i = 0; i < alphabet().size(); ++i) {
        const predecessor_world& before = *seen_[at].world;
        if (!before.possible(alphabet()[i])) continue;
        ++steps;
        predecessor_world after = before;
        std::string wrong = after.take(alphabet()[i]);
        if (wrong.empty() && !before.machine.idle() && after.machine.idle()) {
          wrong = after.next_upgrade();
        }
        if (wrong.empty()) {
          arrive(std::move(after), at, i);
        } else if (++failures_ < 10) {
          FAIL_CHECK(wrong << ", after the events (by their index) " << path_to(at) << i);
        }
      }
    }
    return steps;
  }

  [[nodiscard]] std::size_t worlds() const { return seen_.size(); }
  [[nodiscard]] std::size_t failures() const { return failures_; }

 private:
  struct arrival {
    const predecessor_world* world;
    std::size_t before;  // the world before, in seen_
    std::size_t event;
  };

  void arrive(predecessor_world world, std::size_t before, std::size_t event) {
    const auto [it, is_new] = worlds_.insert(std::move(world));
    if (is_new) seen_.push_back({&*it, before, event});
  }

  [[nodiscard]] std::string path_to(std::size_t at) const {
    std::string text;
    for (; at != 0; at = seen_[at].before) text = std::to_string(seen_[at].event) + ' ' + text;
    return text;
  }

  std::set<predecessor_world> worlds_;
  std::vector<arrival> seen_;  // the nearest first
  std::size_t failures_ = 0;
};

}  // namespace

TEST_CASE("whatever happens in whatever order, the predecessor keeps its promises") {
  for (const bool has_probation : {false, true}) {
    walk w{{.machine = graceful::handoff::predecessor{has_probation}}};
    const auto steps = w.run();
    MESSAGE(w.worlds() << " worlds, " << steps << " steps");
    CHECK(steps > 5'000);
    CHECK(w.failures() == 0);
  }
}
