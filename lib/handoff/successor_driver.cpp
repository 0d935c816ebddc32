// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/successor_driver.hpp"

#include "os/child.hpp"
#include "os/close_aside.hpp"
#include "wire/fields.hpp"

#include <sys/socket.h>

namespace graceful {

namespace action = handoff::action;
namespace event = handoff::event;

successor_driver::successor_driver(varlink_connection connection, std::string token,
                                   std::string manager, std::chrono::milliseconds step_timeout)
    : connection_{std::move(connection)},
      machine_{std::move(token), std::move(manager)},
      step_timeout_{step_timeout} {
  os::name_senders(connection_.socket());
}

result<successor_driver::outcome> successor_driver::take_over() { return run(event::connected{}); }

result<successor_driver::outcome> successor_driver::ready(std::vector<std::string> unwanted) {
  auto outcome = run(event::initialised{{std::move(unwanted), machine_.offer().late_claims}});
  // Ended before the failure is reported: a predecessor that was stopped, and reads Ready only now,
  // must see that this process has gone.
  if (!outcome) ::shutdown(connection_.socket(), SHUT_RDWR);
  return outcome;
}

void successor_driver::break_off() {
  broken_off_ = true;
  ::shutdown(connection_.socket(), SHUT_RDWR);
}

result<successor_driver::standing> successor_driver::look() {
  const auto message =
      connection_.receive(std::chrono::steady_clock::now(), predecessor_pidfd_.get());
  if (!message && message.error().code == errc::timed_out) return standing::waits;
  if (message) {
    const auto reply = wire::parse_reply(message->text);
    return failure{
        errc::upgrade_failed,
        "the predecessor gave the upgrade up: " +
            (reply ? wire::string_field(reply->parameters, "message").value_or("") : "")};
  }
  if (!predecessor_lives()) return standing::died;
  return failure{errc::upgrade_failed, "the predecessor gave the upgrade up, and keeps serving"};
}

void successor_driver::fail(const std::string& reason) {
  (void)connection_.send(wire::to_call(wire::fail{reason}), std::chrono::steady_clock::now());
}

result<successor_driver::outcome> successor_driver::run(const handoff::successor_event& first) {
  auto next = machine_.resume(first);
  for (;;) {
    if (auto* send = std::get_if<action::send>(&next)) {
      next = machine_.resume(exchange(send->message));
    } else if (auto* keep = std::get_if<action::keep>(&next)) {
      for (std::size_t i = 0; i < keep->names.size(); ++i) {
        descriptors_.emplace_back(std::move(keep->names[i]), std::move(arrived_[i]));
      }
      if (keep->complete) return outcome::proceed;
      next = machine_.resume(exchange(keep->next));
    } else if (std::holds_alternative<action::serve>(next)) {
      return outcome::proceed;
    } else if (std::holds_alternative<action::start_cold>(next)) {
      return outcome::predecessor_died;
    } else {
      os::close_aside(std::exchange(arrived_, {}));
      return std::get<action::abandon>(next).why;
    }
  }
}

handoff::successor_event successor_driver::exchange(const wire::call& call) {
  const auto until = std::chrono::steady_clock::now() + step_timeout_;
  os::close_aside(std::exchange(arrived_, {}));
  if (auto sent = connection_.send(call, until); !sent) {
    if (sent.error().code == errc::timed_out) return event::overdue{};
    return event::disconnected{predecessor_lives()};
  }
  auto message = connection_.receive(until, predecessor_pidfd_.get());
  if (!message) {
    const auto& code = message.error().code;
    if (code == errc::timed_out) return event::overdue{};
    if (code == errc::protocol_violation) return event::garbled{};
    return event::disconnected{predecessor_lives()};
  }
  if (!std::exchange(answered_, true)) {
    // Not by SO_PEERCRED: that names the generation before while the process that serves has not
    // called listen(2) yet, and the end of that generation would count as the predecessor's.
    auto& pidfd = message->sender_pidfd;
    predecessor_pid_ = message->sender;
    predecessor_pidfd_ = pidfd ? std::move(pidfd) : os::open_pidfd(predecessor_pid_);
  }
  // The message is incomplete: close what came, also to free descriptors for the report.
  if (message->truncated) {
    os::close_aside(std::exchange(message->descriptors, {}));
    descriptors_.clear();
  }
  auto reply = wire::parse_reply(message->text);
  if (!reply) return event::garbled{};
  arrived_ = std::move(message->descriptors);
  return event::replied{std::move(*reply), arrived_.size(), message->truncated};
}

/// False even if it is unknown: before the first answer, or because the peer's PID namespace is not
/// visible from here.
bool successor_driver::predecessor_lives() const {
  if (!predecessor_pidfd_ && broken_off_)
    return true;  // this process ended the connection, so that proves nothing
  return predecessor_pidfd_ &&
         !os::wait_readable(predecessor_pidfd_.get(),
                            std::chrono::steady_clock::now() + os::dying_time);
}

}  // namespace graceful
