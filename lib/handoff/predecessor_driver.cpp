// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor_driver.hpp"

#include <graceful/duration_text.hpp>
#include <graceful/phases.hpp>

#include "handoff/passed_channel.hpp"
#include "os/at_start.hpp"
#include "os/socket_address.hpp"
#include "os/start_command.hpp"
#include "os/system_failure.hpp"
#include "wire/control_messages.hpp"
#include "wire/handoff_messages.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <random>
#include <ratio>
#include <utility>

namespace graceful {

namespace {

/// How long a rolled-back successor may take to end after the time for its drain is over.
constexpr std::chrono::seconds after_drain{5};

namespace action = handoff::action;
namespace event = handoff::event;

std::string make_token() {
  std::random_device random;
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x%08x%08x", random(), random(), random(),
                random());
  return text.data();
}

std::string_view error_name(action::refusal why) {
  switch (why) {
    case action::refusal::busy:
      return wire::handoff_error(errc::busy);
    case action::refusal::incompatible_version:
      return wire::handoff_error(errc::incompatible_version);
    case action::refusal::not_on_offer:
      return wire::handoff_error(errc::not_on_offer);
    case action::refusal::not_expected:
      return wire::handoff_error(errc::not_expected);
    case action::refusal::out_of_order:
      return wire::handoff_error(errc::protocol_violation);
    case action::refusal::rolled_back:
      return wire::rolled_back_error;
  }
  return {};
}

}  // namespace

predecessor_driver::predecessor_driver(asio::io_context& control, upgrade_report::audience to,
                                       settings s)
    : log_{to.messages},
      measured_{to.measured},
      settings_{std::move(s)},
      machine_{settings_.probation.count() > 0},
      report_{std::move(to), settings_.generation + 1},
      timer_{control},
      child_{control, log_, [this](const std::string& how, pid_t pid) { on_exited(how, pid); }} {}

bool predecessor_driver::handed_over() const {
  return machine_.current() == handoff::predecessor::state::handed_over;
}

std::string predecessor_driver::why_busy() const {
  if (handed_over()) {
    return "this process has handed over already, and drains; ask again: its successor answers";
  }
  const auto now = std::chrono::steady_clock::now();
  if (in_probation()) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(timer_.expiry() - now);
    return "generation " + std::to_string(settings_.generation + 1) +
           " is in probation for another " + duration_text(left) +
           "; wait, or decide: graceful-ctl commit, graceful-ctl rollback";
  }
  using tenths = std::chrono::duration<std::int64_t, std::deci>;
  const auto running = std::chrono::floor<tenths>(now - report_.started());
  return "an upgrade is under way" +
         (child_.pid() ? " (successor pid " + std::to_string(*child_.pid()) + ")" : std::string{}) +
         " for " + duration_text(running) +
         "; wait until it has ended, or end it: graceful-ctl abort";
}

/// The answer where no successor is in probation.
wire::reply predecessor_driver::nothing_to(const std::string& decide,
                                           const std::string& instead) const {
  const auto pid = successor_pid() ? successor_pid() : child_.pid();
  return wire::to_error(wire::no_upgrade_error,
                        machine_.under_way() && pid
                            ? "nothing to " + decide + ": the successor (pid " +
                                  std::to_string(*pid) + ") is not ready yet"
                            : "nothing to " + decide + ": no successor is in probation" + instead);
}

void predecessor_driver::upgrade(control_session& from, const upgrade_request& request) {
  if (busy()) return from.reply(wire::to_error(wire::busy_error, why_busy()));
  start(from.weak_from_this(), request);
}

void predecessor_driver::upgrade() {
  if (busy()) return log_.warning("no upgrade: " + why_busy());
  start({}, {});
}

void predecessor_driver::start(std::weak_ptr<control_session> from,
                               const upgrade_request& request) {
  report_.start(std::move(from));
  request_ = request;
  resume(event::upgrade{make_token()});
}

bool predecessor_driver::abort() {
  if (!machine_.under_way()) return false;
  resume(event::abort{});
  return true;
}

void predecessor_driver::commit(control_session& from) {
  if (!in_probation()) return from.reply(nothing_to("commit", ""));
  report_.await_decision(from);
  resume(event::commit{});
}

void predecessor_driver::rollback(control_session& from, const std::string& reason) {
  if (!in_probation()) {
    return from.reply(nothing_to("roll back",
                                 "; to go back to an earlier build, upgrade to it: graceful-ctl "
                                 "upgrade -- COMMAND"));
  }
  resume(event::rollback{reason});
  from.reply(wire::reply{});
}

std::optional<pid_t> predecessor_driver::successor_pid() const {
  const auto id = machine_.successor();
  const auto session = id ? peer(*id) : nullptr;
  return session ? std::optional{session->peer_pid()} : std::nullopt;
}

bool predecessor_driver::handoff(control_session& from, const wire::call& call) {
  peers_[from.id()].session = from.weak_from_this();
  const auto id = from.id();
  if (call.method == wire::begin_method) {
    auto message = wire::parse<wire::begin>(call.parameters);
    if (!message) return from.reply(wire::invalid("versions or token")), true;
    if (!busy()) {
      report_.start();
      request_ = {};
    }
    // Indices refer to the offer: it must not change while descriptors are being passed, nor be
    // withdrawn because another peer calls Begin.
    using state = handoff::predecessor::state;
    const bool may_begin = !busy() || machine_.current() == state::spawning;
    if (may_begin) {
      offer_ = settings_.offer();
      elsewhere_ = !message->manager.empty() && message->manager != settings_.manager();
    }
    resume(event::begin{id, std::move(*message)});
    if (may_begin && machine_.current() != state::passing) withdraw();
  } else if (call.method == wire::fetch_method) {
    const auto message = wire::parse<wire::fetch>(call.parameters);
    if (!message) return from.reply(wire::invalid("first")), true;
    resume(event::fetch{id, *message});
  } else if (call.method == wire::ready_method) {
    // Calls can still be read that a successor sent before it died, or before it gave up on a
    // predecessor that was stopped. They must not be believed: nobody would serve then. Nor can a
    // successor be ready that has not read all its descriptors.
    if (from.peer_gone() || from.congested()) return from.close(), true;
    auto message = wire::parse<wire::ready>(call.parameters);
    if (!message) return from.reply(wire::invalid("unwanted")), true;
    if (machine_.is_successor(id)) {
      unwanted_ = std::move(message->unwanted);
      unwanted_is_final_ = !message->late_claims;
    }
    resume(event::ready{id});
  } else if (call.method == wire::settle_method) {
    // A successor must be alive to be committed, as with Ready.
    if (machine_.is_successor(id) && from.peer_gone()) return from.close(), true;
    auto message = wire::parse<wire::settle>(call.parameters);
    if (!message) return from.reply(wire::invalid("unwanted")), true;
    if (machine_.is_successor(id) && message->unwanted) {
      unwanted_ = std::move(*message->unwanted);
      unwanted_is_final_ = true;
    }
    settle(id);
  } else if (call.method == wire::fail_method) {
    auto message = wire::parse<wire::fail>(call.parameters);
    if (!message) return from.reply(wire::invalid("reason")), true;
    resume(event::fail{id, std::move(*message)});
  } else {
    return false;
  }
  return true;
}

/// A successor stays only if the service manager of this process can be told of it.
void predecessor_driver::settle(handoff::peer_id id) {
  if (machine_.is_successor(id) && in_probation() && !elsewhere_) {
    if (const auto why = settings_.objection(child_.pid().has_value())) {
      return resume(event::rollback{*why});
    }
  }
  resume(event::settle{id});
}

void predecessor_driver::closed(const control_session& session) {
  if (peers_.erase(session.id()) > 0) resume(event::closed{session.id()});
}

/// The successor may have died just now, and the event may still wait. It must not be committed
/// then.
void predecessor_driver::look_at_successor() {
  if (!in_probation()) return;
  const auto id = *machine_.successor();
  const auto session = peer(id);
  if (!session || session->peer_gone()) resume(event::closed{id});
}

void predecessor_driver::shutdown(bool with_it) {
  shutting_down_ = true;
  look_at_successor();
  if (with_it && child_.pid()) resume(event::rollback{"the service ends"});
  resume(event::shutdown{});
  // A killed successor must not remain as a zombie.
  if (machine_.current() == handoff::predecessor::state::ending) child_.wait();
}

/// An event that an action leads to comes after all actions of the event before it.
void predecessor_driver::resume(handoff::predecessor_event event) {
  events_.push_back(std::move(event));
  if (std::exchange(resuming_, true)) return;
  const std::unique_ptr<bool, void (*)(bool*)> at_last{&resuming_, [](bool* it) { *it = false; }};
  while (!events_.empty()) {
    const auto next = std::move(events_.front());
    events_.pop_front();
    for (const auto& a : machine_.resume(next, offer_.size())) {
      std::visit([this](const auto& each) { act(each); }, a);
    }
  }
}

void predecessor_driver::act(const action::spawn& a) {
  if (auto why = settings_.objection(true)) {
    return resume(event::spawn_failed{std::move(*why)});
  }
  os::start_command command = command_for(request_);
  if (os::is_set_id() && command.file == os::own_executable) {
    log_.warning(
        "a set-id program starts the file again that it executes, and no other that is at its "
        "path by now, which whoever started it chose; for a new build: graceful-ctl upgrade -- "
        "/PATH/TO/SERVER, or options::command");
  }
  command.set("GRACEFUL_UPGRADE", a.token);
  const auto channel = settings_.open_channel();
  announce_channel(command, a.token, spawned_successor::channel_number, channel,
                   settings_.control_path);
  if (const auto spawned = child_.spawn(command, settings_.place(), channel.get()); !spawned) {
    return resume(event::spawn_failed{why_not_spawned(spawned.error(), request_)});
  }
  resume(event::spawned{*child_.pid()});
}

void predecessor_driver::on_exited(const std::string& how, pid_t pid) {
  const auto id = machine_.successor();
  if (const auto session = id ? peer(*id) : nullptr) session->hear_out();
  if (handed_over()) log_.error("the successor " + how + " after it took over");
  resume(event::exited{how, successor_pid() == pid});
}

void predecessor_driver::withdraw() {
  offer_.clear();
  if (!handed_over()) settings_.withdraw();
}

void predecessor_driver::act(const action::arm_timer& /*a*/) {
  arm(request_.timeout.value_or(settings_.ready_timeout));
}

void predecessor_driver::act(const action::arm_probation& /*a*/) { arm(settings_.probation); }

void predecessor_driver::act(const action::arm_confirmation& /*a*/) {
  arm(settings_.confirm_timeout);
}

void predecessor_driver::arm(std::chrono::milliseconds duration) {
  timer_.expires_after(duration);
  // A wait that has completed cannot be cancelled any more: the number tells whether it still
  // counts.
  timer_.async_wait([this, duration, armed = ++timer_armed_](boost::system::error_code ec) {
    if (ec || armed != timer_armed_) return;
    const auto pid = successor_pid() ? successor_pid() : child_.pid();
    resume(event::timeout{
        .who = "the successor" + (pid ? " (pid " + std::to_string(*pid) + ")" : std::string{}),
        .after = duration_text(duration)});
  });
}

void predecessor_driver::act(const action::disarm_timer& /*a*/) {
  ++timer_armed_;
  timer_.cancel();
}

void predecessor_driver::act(const action::reply_begun& a) {
  const auto session = peer(a.peer);
  if (!session) return;
  wire::begun begun{wire::handoff_version, settings_.generation + 1, settings_.name, offer_.size(),
                    measured_.totals()};
  begun.late_claims = true;
  for (const auto& offered : offer_) {
    if (offered.kept) begun.kept.push_back(offered.name);
  }
  session->reply(wire::to_reply(begun));
}

void predecessor_driver::act(const action::reply_batch& a) {
  wire::batch batch{a.first, {}};
  std::vector<passed_descriptor> descriptors;
  for (auto i = a.first; i < a.first + a.count; ++i) {
    batch.names.push_back(offer_[i].name);
    descriptors.push_back(offer_[i].descriptor);
  }
  if (const auto session = peer(a.peer)) {
    session->reply(wire::to_reply(batch), std::move(descriptors));
  }
}

void predecessor_driver::act(const action::pause_accepting& /*a*/) {
  settings_.pause_accepting(unwanted_);
}

void predecessor_driver::act(const action::resume_accepting& /*a*/) {
  settings_.resume_accepting();
  measured_.resume();
}

/// The listeners of this process that the successor drops. None while the successor may still ask
/// for them: it is worse to end a listener that it is about to use than to close one without a last
/// call.
std::vector<std::string> predecessor_driver::dropped() const {
  return unwanted_is_final_ ? unwanted_ : std::vector<std::string>{};
}

void predecessor_driver::act(const action::stop_accepting& /*a*/) {
  const auto names = dropped();
  dropped_.clear();
  for (const auto& offered : offer_) {
    if (std::ranges::find(names, offered.name) == names.end()) continue;
    dropped_.push_back(
        {offered.name, os::socket_address::bound_to(offered.descriptor.fd).to_string()});
  }
  settings_.stop_accepting(names);
  offer_.clear();
}

void predecessor_driver::act(const action::acknowledge& a) {
  if (const auto session = peer(a.peer)) session->reply(wire::reply{});
}

void predecessor_driver::act(const action::acknowledge_ready& a) {
  const auto now = std::chrono::steady_clock::now();
  if (const auto session = peer(a.peer)) {
    session->reply(wire::to_reply(wire::readied{measured_.durations_to(phases::ready, now),
                                                settings_.probation.count() > 0}));
  }
}

void predecessor_driver::act(const action::settle& a) {
  const auto session = peer(a.peer);
  if (!session) return;
  const auto answer = wire::to_reply(wire::settled{a.settled});
  a.asked ? session->reply(answer) : session->close_with(answer);
}

void predecessor_driver::act(const action::refuse& a) {
  if (a.why != action::refusal::rolled_back && !std::exchange(peers_[a.peer].refused, true)) {
    log_.warning("refused a successor: " + a.message);
  }
  if (const auto session = peer(a.peer)) {
    session->reply(a.why == action::refusal::incompatible_version
                       ? wire::to_incompatible_version(a.message, a.versions)
                       : wire::to_error(error_name(a.why), a.message));
  }
}

void predecessor_driver::act(const action::abort_peer& a) {
  if (const auto session = peer(a.peer)) {
    session->close_with(wire::to_error(wire::handoff_error(errc::upgrade_failed), a.message));
  }
}

void predecessor_driver::act(const action::kill_successor& /*a*/) { child_.kill(); }

void predecessor_driver::act(const action::retire_successor& /*a*/) {
  child_.retire(settings_.drain_timeout + after_drain);
}

void predecessor_driver::act(const action::report_spawned& a) {
  report_.spawned(static_cast<pid_t>(a.pid));
}

void predecessor_driver::act(const action::report_begun& /*a*/) { report_.begun(); }

void predecessor_driver::act(const action::report_passed& /*a*/) {
  const auto listeners = std::count_if(offer_.begin(), offer_.end(), [](const auto& offered) {
    return !offered.name.starts_with('@');
  });
  report_.passed(static_cast<std::uint64_t>(listeners));
}

void predecessor_driver::act(const action::report_ready& /*a*/) {
  report_.ready(successor_pid(), settings_.probation);
}

void predecessor_driver::act(const action::report_committed& /*a*/) {
  report_.committed(successor_pid(), dropped_);
}

void predecessor_driver::act(const action::report_failed& a) {
  withdraw();
  report_.failed(a.reason, shutting_down_);
}

void predecessor_driver::act(const action::report_lost& /*a*/) {
  log_.warning(
      "the connection to the successor has ended; unless it was stopped or upgraded itself, see "
      "who serves (graceful-ctl status), and start the server if nobody does");
}

std::shared_ptr<control_session> predecessor_driver::peer(handoff::peer_id id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.session.lock();
}

}  // namespace graceful
