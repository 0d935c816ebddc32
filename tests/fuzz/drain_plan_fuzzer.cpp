// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain_plan.hpp"

#include "fuzz_input.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

/// Compares a drain plan with a simple one that treats each connection by itself. The input: the
/// limits, then steps: time passes, a connection arrives, or an operator hurries.
using namespace graceful_test;
using graceful::handoff::connection_id;
using graceful::handoff::drain_plan;
using std::chrono::milliseconds;
using kind = drain_plan::due::kind;
using time_of = drain_plan::time;

namespace {

struct connection {
  time_of told_before{};          // at the latest
  std::optional<time_of> told{};  // when the plan said so
  bool over = false;
};

struct world {
  graceful::handoff::drain_limits limits;
  drain_plan plan{limits};
  time_of now{std::chrono::hours{1}};
  std::map<connection_id, connection> connections{};
  std::optional<time_of> deadline{};
  bool said_over = false;

  void begin(std::size_t count) {
    std::vector<connection_id> open;
    for (connection_id id = 1; id <= count; ++id) open.push_back(id);
    plan.begin(now, open);
    if (deadline) return;  // the second call has no effect
    deadline = now + limits.timeout;
    for (const auto id : open) connections[id] = {.told_before = now + limits.spread};
    if (!open.empty()) connections[1].told_before = now;
  }

  void add() {
    const connection_id id = connections.size() + 1;
    plan.add(now, id);
    connections[id] = {.told_before = now, .told = now};
  }

  void hurry() {
    plan.hurry(now);
    if (deadline) deadline = std::min(*deadline, now);
  }

  /// Moves to the time at which the plan wants to be called, if that is before `until`.
  void advance(time_of until) {
    const auto next = plan.next();
    require(next.has_value() == (deadline && !said_over), "something is due until all is over");
    require(!next || *next <= *deadline, "the deadline is not slept through");
    now = std::max(now, next ? std::min(*next, until) : until);
    take();
  }

  void take() {
    for (const auto& due : plan.take(now)) {
      require(connections.contains(due.connection), "what is due is due to a connection");
      auto& c = connections[due.connection];
      if (due.what == kind::draining) {
        require(!c.told, "each is told once");
        c.told = now;
      } else {
        require(c.told && !c.over, "the grace of each is over once, after it was told");
        require(now - *c.told <= limits.idle_grace || now >= *deadline,
                "the grace is not prolonged");
        c.over = true;
      }
    }
    for (const auto& [id, c] : connections) {
      require(c.told || c.told_before > now, "each is told within the spread");
      require(c.over || !c.told || now - *c.told < limits.idle_grace || now >= *deadline,
              "the grace of each ends");
    }
    said_over = deadline && now >= *deadline;
    require(plan.begun() == deadline.has_value(), "a drain begins when it is told to");
    require(plan.expired(now) == said_over && plan.over() == said_over, "the deadline holds");
    require(!plan.next() || *plan.next() > now, "what has been said is not due again");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  world w{.limits = {.timeout = milliseconds{input.word()},
                     .idle_grace = milliseconds{input.word()},
                     .spread = milliseconds{input.word()}}};
  while (!input.ended()) {
    switch (input.byte() % 8) {
      case 0:
        w.begin(input.byte());
        break;
      case 1:
        if (w.deadline) w.add();
        break;
      case 2:
        w.hurry();
        break;
      default:
        w.advance(w.now + milliseconds{input.word()});
        continue;
    }
    w.take();
  }
  // Following the times that the plan asks for leads to its end.
  for (std::size_t steps = 0; w.deadline && !w.said_over; ++steps) {
    require(steps <= 2 * w.connections.size() + 1, "a drain ends");
    w.advance(time_of::max());
  }
  return 0;
}
