// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/action_text.hpp"

#include "wire/fields.hpp"

#include <variant>

namespace graceful_test {
namespace {

using graceful::handoff::peer_id;

const char* name(action::refusal why) {
  switch (why) {
    case action::refusal::busy:
      return "busy";
    case action::refusal::incompatible_version:
      return "incompatible_version";
    case action::refusal::not_on_offer:
      return "not_on_offer";
    case action::refusal::not_expected:
      return "not_expected";
    case action::refusal::out_of_order:
      return "out_of_order";
    case action::refusal::rolled_back:
      return "rolled_back";
  }
  return "?";
}

std::string with(const char* verb, peer_id peer) {
  return std::string{verb} + '(' + std::to_string(peer) + ')';
}

struct predecessor_text {
  std::string operator()(const action::spawn& a) const { return "spawn(" + a.token + ")"; }
  std::string operator()(const action::arm_timer&) const { return "arm_timer"; }
  std::string operator()(const action::arm_probation&) const { return "arm_probation"; }
  std::string operator()(const action::arm_confirmation&) const { return "arm_confirmation"; }
  std::string operator()(const action::disarm_timer&) const { return "disarm_timer"; }
  std::string operator()(const action::reply_begun& a) const { return with("begun", a.peer); }
  std::string operator()(const action::reply_batch& a) const {
    return "batch(" + std::to_string(a.peer) + ", " + std::to_string(a.first) + " + " +
           std::to_string(a.count) + ")";
  }
  std::string operator()(const action::pause_accepting&) const { return "pause_accepting"; }
  std::string operator()(const action::resume_accepting&) const { return "resume_accepting"; }
  std::string operator()(const action::stop_accepting&) const { return "stop_accepting"; }
  std::string operator()(const action::acknowledge_ready& a) const {
    return with("acknowledge_ready", a.peer);
  }
  std::string operator()(const action::acknowledge& a) const { return with("acknowledge", a.peer); }
  std::string operator()(const action::settle& a) const {
    return with(a.settled ? "settled" : "ask_again", a.peer) + (a.asked ? "" : " unasked");
  }
  std::string operator()(const action::refuse& a) const {
    return "refuse(" + std::to_string(a.peer) + ", " + name(a.why) + ")";
  }
  std::string operator()(const action::abort_peer& a) const {
    return "abort(" + std::to_string(a.peer) + ": " + a.message + ")";
  }
  std::string operator()(const action::kill_successor&) const { return "kill"; }
  std::string operator()(const action::retire_successor&) const { return "retire"; }
  std::string operator()(const action::report_spawned& a) const {
    return "report_spawned(" + std::to_string(a.pid) + ")";
  }
  std::string operator()(const action::report_begun&) const { return "report_begun"; }
  std::string operator()(const action::report_passed&) const { return "report_passed"; }
  std::string operator()(const action::report_ready&) const { return "report_ready"; }
  std::string operator()(const action::report_committed&) const { return "report_committed"; }
  std::string operator()(const action::report_failed& a) const {
    return "report_failed(" + a.reason + ")";
  }
  std::string operator()(const action::report_lost&) const { return "report_lost"; }
};

std::string call_text(const wire::call& c) {
  std::string text = c.method.substr(c.method.rfind('.') + 1);
  if (const auto first = wire::count_field(c.parameters, "first")) {
    text += ' ' + std::to_string(*first);
  }
  return text;
}

struct successor_text {
  std::string operator()(const action::send& a) const {
    return "send(" + call_text(a.message) + ")";
  }
  std::string operator()(const action::keep& a) const {
    return "keep(" + std::to_string(a.names.size()) + ", " +
           (a.complete ? "complete" : call_text(a.next)) + ")";
  }
  std::string operator()(const action::serve&) const { return "serve"; }
  std::string operator()(const action::start_cold&) const { return "start_cold"; }
  std::string operator()(const action::abandon& a) const {
    switch (static_cast<graceful::errc>(a.why.code.value())) {
      case graceful::errc::busy:
        return "abandon(busy)";
      case graceful::errc::incompatible_version:
        return "abandon(incompatible_version)";
      case graceful::errc::not_on_offer:
        return "abandon(not_on_offer)";
      case graceful::errc::not_expected:
        return "abandon(not_expected)";
      case graceful::errc::upgrade_failed:
        return "abandon(upgrade_failed)";
      case graceful::errc::not_ready:
        return "abandon(not_ready)";
      case graceful::errc::permission_denied:
        return "abandon(permission_denied)";
      case graceful::errc::protocol_violation:
        return "abandon(protocol_violation)";
      case graceful::errc::descriptors_lost:
        return "abandon(descriptors_lost)";
      case graceful::errc::timed_out:
        return "abandon(timed_out)";
      case graceful::errc::peer_gone:
        return "abandon(peer_gone)";
      default:
        return "abandon(" + a.why.code.message() + ")";
    }
  }
};

}  // namespace

std::string to_text(const graceful::handoff::predecessor_actions& actions) {
  std::string text;
  for (const auto& a : actions) {
    if (!text.empty()) text += "; ";
    text += std::visit(predecessor_text{}, a);
  }
  return text;
}

std::string to_text(const graceful::handoff::successor_action& action) {
  return std::visit(successor_text{}, action);
}

}  // namespace graceful_test
