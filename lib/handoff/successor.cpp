// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/successor.hpp"

#include "os/error_table.hpp"
#include "wire/fields.hpp"

#include <utility>

namespace graceful::handoff {

successor_action successor::resume(const successor_event& event) {
  if (std::holds_alternative<event::connected>(event)) {
    state_ = state::beginning;
    return action::send{wire::to_call(wire::begin{{wire::handoff_version}, token_, manager_})};
  }
  if (const auto* initialised = std::get_if<event::initialised>(&event)) {
    state_ = state::readying;
    return action::send{wire::to_call(initialised->message)};
  }
  if (const auto* reply = std::get_if<event::replied>(&event)) return on_reply(*reply);
  if (std::holds_alternative<event::garbled>(event))
    return violation("what it sent is not a reply");
  if (std::holds_alternative<event::overdue>(event)) {
    return abandon(errc::timed_out, "the predecessor did not answer in time");
  }
  if (std::get<event::disconnected>(event).alive) {
    return abandon(errc::peer_gone, "the predecessor closed the connection, but keeps serving");
  }
  // The predecessor has died. A process with all sockets can serve, and is now the only one that
  // can.
  if (state_ == state::readying) {
    state_ = state::done;
    return action::serve{};
  }
  return action::start_cold{};
}

successor_action successor::on_reply(const event::replied& e) {
  if (e.truncated) {
    return abandon(errc::descriptors_lost,
                   "the kernel could not deliver all the descriptors that the predecessor passed; "
                   "raise the limit of open files (RLIMIT_NOFILE, ulimit -n) of the successor");
  }
  if (!e.message.error.empty()) {
    const auto said = wire::string_field(e.message.parameters, "message").value_or(e.message.error);
    const auto code = errc_of(e.message.error);
    if (code) return abandon(*code, "the predecessor refused: " + said);
    return violation("it answered with the error " + e.message.error);
  }
  switch (state_) {
    case state::beginning:
      if (e.descriptors != 0) return violation("it passed descriptors that nobody asked for");
      return on_begun(e.message);
    case state::fetching:
      return on_batch(e);
    case state::readying:
      if (e.descriptors != 0) return violation("it passed descriptors that nobody asked for");
      state_ = state::done;
      readied_ = wire::parse_readied(e.message.parameters);
      return action::serve{};
    case state::connecting:
    case state::complete:
    case state::done:
      break;
  }
  return violation("it answered a call that was not made");
}

successor_action successor::on_begun(const wire::reply& message) {
  auto offer = wire::parse<wire::begun>(message.parameters);
  if (!offer) return violation("its reply to Begin lacks a parameter or has one of a wrong type");
  if (offer->version != wire::handoff_version) {
    return abandon(errc::incompatible_version,
                   "the predecessor chose version " + std::to_string(offer->version) +
                       " of the handoff protocol, the successor speaks version " +
                       std::to_string(wire::handoff_version));
  }
  if (offer->descriptors < 2 || offer->descriptors > max_offer) {
    return violation("it offers " + std::to_string(offer->descriptors) + " descriptors");
  }
  offer_ = std::move(*offer);
  state_ = state::fetching;
  return action::send{wire::to_call(wire::fetch{0})};
}

successor_action successor::on_batch(const event::replied& e) {
  auto batch = wire::parse<wire::batch>(e.message.parameters);
  if (!batch) return violation("its reply to Fetch lacks a parameter or has one of a wrong type");
  if (e.descriptors != batch->names.size()) {
    return abandon(errc::descriptors_lost,
                   "the predecessor announced " + std::to_string(batch->names.size()) +
                       " descriptors and passed " + std::to_string(e.descriptors));
  }
  if (batch->names.empty() || batch->first != received_ ||
      batch->names.size() > offer_.descriptors - received_) {
    return violation("it passed other descriptors than it was asked for");
  }
  received_ += batch->names.size();
  const bool complete = received_ == offer_.descriptors;
  if (complete) state_ = state::complete;
  return action::keep{std::move(batch->names), complete,
                      complete ? wire::call{} : wire::to_call(wire::fetch{received_})};
}

successor_action successor::violation(const std::string& what) {
  return abandon(errc::protocol_violation,
                 "the predecessor does not keep to the handoff protocol: " + what);
}

successor_action successor::abandon(errc code, std::string message) {
  state_ = state::done;
  return action::abandon{{code, std::move(message)}};
}

}  // namespace graceful::handoff
