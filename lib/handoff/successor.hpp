// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include "wire/handoff_messages.hpp"

#include <cstdint>
#include <string>
#include <variant>

/// The successor's side of an upgrade, without I/O and without a clock: events in, an action out.
namespace graceful::handoff {

/// The most descriptors that a predecessor may claim to have on offer.
inline constexpr std::uint64_t max_offer = 1'000'000;

namespace event {
/// The connection is established and the peer is authorised.
struct connected {};
/// A reply has arrived, with this many descriptors; `truncated` if the kernel had to drop some.
struct replied {
  wire::reply message;
  std::uint64_t descriptors;
  bool truncated;
};
/// What arrived is not a Varlink reply.
struct garbled {};
/// The application has initialised itself, and has asked for all listeners that it wants.
struct initialised {
  wire::ready message{};
};
/// The connection has ended; `alive` if the predecessor itself is known to be alive.
struct disconnected {
  bool alive;
};
struct overdue {};
}  // namespace event

using successor_event = std::variant<event::connected, event::replied, event::garbled,
                                     event::initialised, event::disconnected, event::overdue>;

namespace action {
/// Send this call; its reply is the next event.
struct send {
  wire::call message;
};
/// Keep the descriptors of the reply under these names. Then send the next call, unless everything
/// has arrived.
struct keep {
  std::vector<std::string> names;
  bool complete;
  wire::call next;
};
/// Accept from now on.
struct serve {};
/// The predecessor has died before it passed everything: there is nothing to take over.
struct start_cold {};
/// End. The predecessor still serves.
struct abandon {
  failure why;
};
}  // namespace action

using successor_action =
    std::variant<action::send, action::keep, action::serve, action::start_cold, action::abandon>;

class successor {
 public:
  enum class state { connecting, beginning, fetching, complete, readying, done };

  /// `token`: the value of GRACEFUL_UPGRADE, empty for an explicit takeover. `manager`: see
  /// `wire::begin`.
  explicit successor(std::string token, std::string manager = {})
      : token_{std::move(token)}, manager_{std::move(manager)} {}

  successor_action resume(const successor_event& event);

  [[nodiscard]] state current() const { return state_; }

  /// The predecessor's answer to Begin.
  [[nodiscard]] const wire::begun& offer() const { return offer_; }

  /// From its answer to Ready.
  [[nodiscard]] const wire::phase_durations& durations() const { return readied_.durations; }
  [[nodiscard]] bool asks() const { return readied_.asks; }

 private:
  successor_action on_reply(const event::replied& e);
  successor_action on_begun(const wire::reply& message);
  successor_action on_batch(const event::replied& e);
  successor_action violation(const std::string& what);
  successor_action abandon(errc code, std::string message);

  std::string token_;
  std::string manager_;
  state state_ = state::connecting;
  wire::begun offer_;
  std::uint64_t received_ = 0;
  wire::readied readied_;
};

}  // namespace graceful::handoff
