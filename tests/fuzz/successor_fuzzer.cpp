// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/successor.hpp"

#include "fuzz_input.hpp"

#include <algorithm>
#include <string>
#include <vector>

/// A predecessor that answers anything: the input says what happens to each call of the successor.
/// The events are those that its driver can produce, in a possible order.
using namespace graceful_test;
namespace wire = graceful::wire;
namespace event = graceful::handoff::event;
namespace action = graceful::handoff::action;
using graceful::handoff::successor_action;
using graceful::handoff::successor_event;

namespace {

/// What the successor has asked for, and what it has received.
struct conversation {
  std::string asked{};  // the method of its last call
  std::uint64_t offered = 0;
  std::uint64_t kept = 0;
};

wire::reply with_names(std::uint64_t first, std::uint64_t count) {
  wire::batch batch{first, {}};
  for (std::uint64_t i = 0; i < count; ++i) batch.names.push_back("l" + std::to_string(first + i));
  return wire::to_reply(batch);
}

/// Right, nearly right, or anything from the input.
wire::reply read_reply(fuzz_input& input, const conversation& so_far, std::uint64_t& descriptors) {
  const auto kind = input.byte();
  if (kind < 64) {
    descriptors = input.byte();
    return wire::parse_reply(input.line()).value_or(wire::reply{});
  }
  if (so_far.asked == wire::begin_method) {
    const std::uint64_t offer = kind < 192 ? input.byte() : std::uint64_t{input.word()} << 8;
    return wire::to_reply(wire::begun{kind < 240 ? 1 : kind - 240, 7, "web", offer});
  }
  if (so_far.asked == wire::fetch_method) {
    descriptors = input.byte();
    const auto names = kind < 240 ? descriptors : input.byte();
    return with_names(kind < 224 ? so_far.kept : input.byte(), names);
  }
  wire::readied durations;
  durations.durations.emplace(kind < 240 ? "begun" : "lunch", input.word());
  return wire::to_reply(durations);
}

successor_event answer(fuzz_input& input, const conversation& so_far) {
  switch (input.byte() % 32) {
    case 0:
      return event::garbled{};
    case 1:
      return event::overdue{};
    case 2:
      return event::disconnected{true};
    case 3:
      return event::disconnected{false};
    default:
      break;
  }
  std::uint64_t descriptors = 0;
  auto reply = read_reply(input, so_far, descriptors);
  const bool truncated = input.byte() % 32 == 1;
  return event::replied{std::move(reply), descriptors, truncated};
}

void check_send(const action::send& send, const successor_event& cause, const std::string& token,
                conversation& so_far, const graceful::handoff::successor& machine) {
  const auto& call = send.message;
  if (std::holds_alternative<event::connected>(cause)) {
    const auto begin = wire::parse<wire::begin>(call.parameters);
    require(call.method == wire::begin_method && begin && begin->token == token,
            "it begins, with its token");
  } else if (std::holds_alternative<event::initialised>(cause)) {
    require(call.method == wire::ready_method, "it is ready when it has initialised");
    require(so_far.kept == so_far.offered, "it is ready when it has everything");
  } else {
    const auto fetch = wire::parse<wire::fetch>(call.parameters);
    require(so_far.asked == wire::begin_method && call.method == wire::fetch_method && fetch &&
                fetch->first == 0,
            "after Begin it fetches");
    so_far.offered = machine.offer().descriptors;
    require(so_far.offered >= 2 && so_far.offered <= graceful::handoff::max_offer,
            "it believes an offer that can be");
    require(machine.offer().version == wire::handoff_version, "it speaks its own version");
  }
  so_far.asked = call.method;
}

void check_keep(const action::keep& keep, const successor_event& cause, conversation& so_far) {
  const auto* replied = std::get_if<event::replied>(&cause);
  require(replied != nullptr && so_far.asked == wire::fetch_method, "it keeps what it has fetched");
  require(keep.names.size() == replied->descriptors && !keep.names.empty(),
          "there is a descriptor for each name");
  so_far.kept += keep.names.size();
  require(so_far.kept <= so_far.offered, "it takes no more than was on offer");
  require(keep.complete == (so_far.kept == so_far.offered), "it knows when it has everything");
  if (keep.complete) return;
  const auto fetch = wire::parse<wire::fetch>(keep.next.parameters);
  require(keep.next.method == wire::fetch_method && fetch && fetch->first == so_far.kept,
          "it asks for the next");
}

/// The last action: to serve, to start cold, or to give up.
void check_end(const successor_action& next, const successor_event& cause,
               const conversation& so_far, const graceful::handoff::successor& machine) {
  const auto* gone = std::get_if<event::disconnected>(&cause);
  const bool died = gone != nullptr && !gone->alive;
  const bool everything = so_far.asked == wire::ready_method;
  if (std::holds_alternative<action::serve>(next)) {
    require(everything, "it serves when it has said that it is ready");
    const auto* replied = std::get_if<event::replied>(&cause);
    require(died || (replied != nullptr && replied->message.error.empty() && !replied->truncated &&
                     replied->descriptors == 0),
            "it serves when it was told to, or nobody else can");
    for (const auto& [phase, duration] : machine.durations()) {
      require(std::ranges::count(wire::upgrade_phases, phase) == 1 && duration.count() >= 0,
              "it knows the phases");
    }
  } else if (std::holds_alternative<action::start_cold>(next)) {
    require(died && !everything, "it starts cold when nobody has what it lacks");
  } else {
    const auto& why = std::get<action::abandon>(next).why;
    require(!died, "it does not give up what only it can serve");
    require(why.code && !why.message.empty(), "it says why it gives up");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz_input input{data, size};
  const std::string token = input.byte() % 2 == 0 ? "" : "t";
  graceful::handoff::successor machine{token};
  conversation so_far;
  successor_event cause = event::connected{};
  for (;;) {
    const auto next = machine.resume(cause);
    if (const auto* replied = std::get_if<event::replied>(&cause);
        replied != nullptr && (replied->truncated || !replied->message.error.empty())) {
      require(std::holds_alternative<action::abandon>(next), "it gives up when it is refused");
    }
    if (const auto* send = std::get_if<action::send>(&next)) {
      check_send(*send, cause, token, so_far, machine);
      cause = answer(input, so_far);
    } else if (const auto* keep = std::get_if<action::keep>(&next)) {
      check_keep(*keep, cause, so_far);
      cause = keep->complete ? successor_event{event::initialised{}} : answer(input, so_far);
    } else {
      check_end(next, cause, so_far, machine);
      return 0;
    }
  }
}
