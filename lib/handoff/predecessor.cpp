// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor.hpp"

#include "os/channel.hpp"

#include <algorithm>
#include <utility>

namespace graceful::handoff {

using action::refusal;

namespace {

/// A likely reason: a program that does not use this library never connects.
constexpr const char* another_program = " (does it make a graceful::upgrader?)";

}  // namespace

predecessor_actions predecessor::resume(const predecessor_event& event, std::uint64_t descriptors) {
  now_.on_offer = descriptors;
  std::visit([this](const auto& e) { on(e); }, event);
  return std::exchange(now_.actions, {});
}

void predecessor::on(const event::upgrade& e) {
  if (state_ != state::serving) return;  // The caller answers busy: see idle().
  state_ = state::spawning;
  token_ = e.token;
  now_.actions = {action::arm_timer{}, action::spawn{token_}};
}

void predecessor::on(const event::spawned& e) {
  if (state_ != state::spawning) return;
  child_alive_ = true;
  now_.actions = {action::report_spawned{e.pid}};
}

void predecessor::on(const event::spawn_failed& e) {
  if (state_ == state::spawning) conclude(e.reason);
}

void predecessor::on(const event::begin& e) {
  const std::string& token = e.message.token;
  const bool spawned_for_this = state_ == state::spawning && !token.empty() && token == token_;
  if (!spawned_for_this) {
    if (peer_ == e.peer) return refuse(e.peer, refusal::out_of_order, "Begin was called before");
    if (state_ == state::handed_over) {
      return refuse(e.peer, refusal::busy, "this process has handed over already, and drains");
    }
    if (!token.empty()) {
      return refuse(e.peer, refusal::not_expected,
                    "the upgrade that the successor was started for is over");
    }
    if (state_ != state::serving) {
      return refuse(e.peer, refusal::busy, "another upgrade is under way");
    }
  }
  const auto& versions = e.message.versions;
  if (std::find(versions.begin(), versions.end(), wire::handoff_version) == versions.end()) {
    std::string offered;
    for (const auto version : versions) offered += ' ' + std::to_string(version);
    std::string message = "the successor speaks version" + (offered.empty() ? " none" : offered) +
                          " of the handoff protocol, the predecessor version " +
                          std::to_string(wire::handoff_version);
    now_.actions.emplace_back(
        action::refuse{e.peer, refusal::incompatible_version, message, versions});
    if (spawned_for_this) await_end(std::move(message));
    return;
  }
  if (!spawned_for_this) now_.actions.emplace_back(action::arm_timer{});
  state_ = state::passing;
  peer_ = e.peer;
  offered_ = now_.on_offer;
  passed_ = 0;
  now_.actions.emplace_back(action::reply_begun{e.peer});
  now_.actions.emplace_back(action::report_begun{});
}

void predecessor::on(const event::fetch& e) {
  if (state_ != state::passing || peer_ != e.peer) {
    return refuse(e.peer, refusal::out_of_order, "Fetch comes after Begin");
  }
  if (e.message.first >= offered_) {
    return refuse(e.peer, refusal::not_on_offer,
                  "descriptor " + std::to_string(e.message.first) + " is not on offer, there are " +
                      std::to_string(offered_));
  }
  if (e.message.first != passed_) {
    return refuse(e.peer, refusal::out_of_order,
                  "the next descriptor is " + std::to_string(passed_));
  }
  const auto count = std::min<std::uint64_t>(os::max_descriptors, offered_ - passed_);
  passed_ += count;
  now_.actions = {action::reply_batch{e.peer, e.message.first, count}};
  if (passed_ == offered_) now_.actions.emplace_back(action::report_passed{});
}

void predecessor::on(const event::ready& e) {
  if (state_ != state::passing || peer_ != e.peer || passed_ != offered_) {
    return refuse(e.peer, refusal::out_of_order, "Ready comes after Begin and the last Fetch");
  }
  settling_ = false;
  now_.actions = {action::disarm_timer{}, action::acknowledge_ready{e.peer},
                  action::report_ready{}};
  if (has_probation_) {
    state_ = state::probation;
    now_.actions.emplace_back(action::arm_probation{});
  } else {
    // The successor's first Settle, which it sends after it has read the answer to Ready, is the
    // confirmation.
    state_ = state::confirming;
    asked_ = true;
    now_.actions.emplace_back(action::arm_confirmation{});
  }
}

void predecessor::on(const event::settle& e) {
  if (peer_ == e.peer && state_ == state::handed_over) {
    now_.actions = {action::settle{e.peer, true, true}};
  } else if (peer_ == e.peer && state_ == state::probation) {
    // Pauses here, not at Ready. After Ready the successor still has to read the answer, and two
    // threads have to be scheduled before it accepts; where all processors are busy, nobody would
    // accept for milliseconds. A successor sends its first Settle when it accepts. Until then both
    // accept from the same queue, and this process serves what it accepts.
    if (!std::exchange(settling_, true)) now_.actions = {action::pause_accepting{}};
  } else if (peer_ == e.peer && state_ == state::confirming && std::exchange(asked_, true)) {
    commit(true);
  } else if (peer_ == e.peer && state_ == state::confirming) {
    // This Settle may have been sent before the question, so it is not the answer.
    now_.actions = {action::settle{e.peer, false, true}};
  } else {
    refuse(e.peer, refusal::out_of_order, "Settle comes after Ready");
  }
}

void predecessor::on(const event::commit& /*e*/) {
  if (state_ == state::probation) confirm();
}

/// A successor that hangs, is stopped, or dumps core keeps its connection open. Only an answer
/// shows that it can serve for good.
void predecessor::confirm() {
  state_ = state::confirming;
  now_.actions = {action::arm_confirmation{}};
  asked_ = std::exchange(settling_, false);
  if (asked_) now_.actions.emplace_back(action::settle{*peer_, false, true});
}

void predecessor::commit(bool asked) {
  state_ = state::handed_over;
  now_.actions = {action::disarm_timer{}, action::stop_accepting{},
                  action::settle{*peer_, true, asked}, action::report_committed{}};
}

void predecessor::on(const event::rollback& e) {
  if (!in_probation()) return;
  const std::string& reason = e.reason;
  now_.actions = {action::resume_accepting{}};
  if (settling_) {
    refuse(*peer_, refusal::rolled_back, reason);
  } else {
    now_.actions.emplace_back(action::abort_peer{*peer_, reason});
  }
  if (std::exchange(child_alive_, false)) now_.actions.emplace_back(action::retire_successor{});
  rolled_back_ = true;
  conclude(reason);
}

void predecessor::on(const event::fail& e) {
  if (in_probation() && peer_ == e.peer) {
    rolled_back_ = true;
    // The same as when the connection is lost: the successor gets the time that a successor has to
    // end.
    now_.actions = {action::resume_accepting{}, action::arm_timer{}, action::acknowledge{e.peer}};
    return await_end("the successor gave up: " + e.message.reason);
  }
  if (state_ != state::passing || peer_ != e.peer) {
    return refuse(e.peer, refusal::out_of_order, "there is no upgrade that could fail");
  }
  now_.actions = {action::acknowledge{e.peer}};
  // The way in which it ends says more than this reason.
  const bool only_ends = child_alive_ && e.message.reason == wire::ended_before_ready;
  await_end(only_ends ? std::string{} : "the successor gave up: " + e.message.reason);
}

void predecessor::on(const event::closed& e) {
  if (peer_ != e.peer) return;
  if (state_ == state::handed_over) {
    peer_.reset();
    now_.actions = {action::report_lost{}};
    return;
  }
  lose_successor();
}

/// The successor's connection or process has ended.
void predecessor::lose_successor() {
  if (in_probation()) {
    rolled_back_ = true;
    // Arm the timer again: the rest of the probation has nothing to do with the time to end.
    now_.actions.emplace_back(action::resume_accepting{});
    now_.actions.emplace_back(action::arm_timer{});
  }
  await_end({});
}

void predecessor::on(const event::exited& e) {
  child_alive_ = false;
  child_end_ = "the successor " + e.how;
  switch (state_) {
    case state::spawning:
      return conclude(child_end_ + " before it connected" +
                      (e.how == "exited with status 0" ? another_program : ""));
    case state::ending:
      return conclude(reason_.empty() ? end_of_child() : reason_);
    case state::passing:
    case state::probation:
    case state::confirming:
      // The spawned process may be a shell that started the server: the connection decides then. If
      // the successor itself was spawned, its end decides, as a process that it forked may hold the
      // connection open.
      if (!e.had_connected) return;
      return lose_successor();
    case state::serving:
    case state::handed_over:
      return;
  }
}

void predecessor::on(const event::timeout& e) {
  const std::string killed = child_alive_ ? ": it was killed" : "";
  switch (state_) {
    case state::spawning:
      return give_up(e.who + " had not connected within " + e.after + another_program + killed);
    case state::passing:
      return give_up(e.who + " had connected, but had not called ready() within " + e.after +
                     killed);
    case state::ending:
      return give_up(reason_.empty() ? "the successor closed its connection but did not end"
                                     : reason_);
    case state::probation:
      return confirm();
    case state::confirming:
      rolled_back_ = true;
      now_.actions = {action::resume_accepting{}};
      return give_up(has_probation_ ? "the successor did not answer at the end of its probation"
                                    : "the successor was ready, and did not ask whether it stays");
    case state::serving:
    case state::handed_over:
      return;
  }
}

void predecessor::on(const event::abort& /*e*/) {
  if (under_way()) give_up("an operator aborted it");
}

void predecessor::on(const event::shutdown& /*e*/) {
  if (state_ == state::ending) return give_up(reason_.empty() ? end_of_child() : reason_);
  if (under_way()) return give_up("the server was told to end");
  if (in_probation()) commit(settling_);
}

void predecessor::refuse(peer_id peer, refusal why, std::string message) {
  now_.actions.emplace_back(action::refuse{peer, why, std::move(message)});
}

/// The upgrade has failed, and the successor knows it: it ends by itself, or the timer ends it. It
/// is not killed at once, because the operator wants to read how it ends.
void predecessor::await_end(std::string reason) {
  peer_.reset();
  if (!child_alive_) return conclude(reason.empty() ? end_of_child() : std::move(reason));
  state_ = state::ending;
  reason_ = std::move(reason);
}

/// The upgrade has failed, and the successor must be told.
void predecessor::give_up(std::string reason) {
  if (peer_) now_.actions.emplace_back(action::abort_peer{*peer_, reason});
  await_end(std::move(reason));
  if (state_ == state::ending) now_.actions.emplace_back(action::kill_successor{});
}

void predecessor::conclude(std::string reason) {
  now_.actions.emplace_back(action::disarm_timer{});
  if (rolled_back_) reason = "rolled back: " + reason;
  now_.actions.emplace_back(action::report_failed{std::move(reason)});
  state_ = state::serving;
  token_.clear();
  child_end_.clear();
  reason_.clear();
  rolled_back_ = false;
  peer_.reset();
}

std::string predecessor::end_of_child() const {
  const std::string when = !rolled_back_    ? " before it was ready"
                           : has_probation_ ? " in its probation"
                                            : " before it was committed";
  return (child_end_.empty() ? "the successor closed its connection" : child_end_) + when;
}

}  // namespace graceful::handoff
