// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor_driver.hpp"

#include <graceful/duration_text.hpp>
#include <graceful/phases.hpp>

#include "os/socket_address.hpp"
#include "wire/control_messages.hpp"
#include "wire/handoff_messages.hpp"

#include <algorithm>
#include <array>
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

/// The errors of io.graceful.Handoff, in the order of action::refusal.
constexpr std::array refusals{wire::handoff_error(errc::busy),
                              wire::handoff_error(errc::incompatible_version),
                              wire::handoff_error(errc::not_on_offer),
                              wire::handoff_error(errc::not_expected),
                              wire::handoff_error(errc::protocol_violation),
                              wire::rolled_back_error};

template <class... Function>
struct overloaded : Function... {
  using Function::operator()...;
};
template <class... Function>
overloaded(Function...) -> overloaded<Function...>;

}  // namespace

predecessor_driver::predecessor_driver(asio::io_context& control, log& log, statistics& measured,
                                       callbacks on, settings s)
    : log_{log},
      measured_{measured},
      callbacks_{std::move(on)},
      settings_{std::move(s)},
      machine_{settings_.probation.count() > 0},
      report_{
          log_, measured_, {.tell_monitors = callbacks_.tell_monitors}, settings_.generation + 1},
      timer_{control},
      child_{control, log_, {.ended = [this](const std::string& how, pid_t pid) {
               on_exited(how, pid);
             }}} {}

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
  const auto pid = known_pid();
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

std::optional<pid_t> predecessor_driver::known_pid() const {
  const auto pid = successor_pid();
  return pid ? pid : child_.pid();
}

bool predecessor_driver::handoff(control_session& from, const wire::call& call) {
  peers_[from.id()].session = from.weak_from_this();
  const auto id = from.id();
  if (call.method == wire::begin_method) {
    auto message = wire::parse<wire::begin>(call.parameters);
    if (!message) return from.reply(wire::invalid("versions or token")), true;
    begin(id, std::move(*message));
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
    // It stays only if the service manager of this process can be told of it.
    const bool concerns_manager = machine_.is_successor(id) && in_probation() && !elsewhere_;
    const auto why =
        concerns_manager ? callbacks_.objection(child_.pid().has_value()) : std::nullopt;
    why ? resume(event::rollback{*why}) : resume(event::settle{id});
  } else if (call.method == wire::fail_method) {
    auto message = wire::parse<wire::fail>(call.parameters);
    if (!message) return from.reply(wire::invalid("reason")), true;
    resume(event::fail{id, std::move(*message)});
  } else {
    return false;
  }
  return true;
}

/// Indices refer to the offer: it must not change while descriptors are being passed, nor be
/// withdrawn because another peer calls Begin.
void predecessor_driver::begin(handoff::peer_id id, wire::begin message) {
  using state = handoff::predecessor::state;
  if (!busy()) {
    report_.start();
    request_ = {};
  }
  const bool may_begin = !busy() || machine_.current() == state::spawning;
  if (may_begin) {
    offer_ = callbacks_.offer();
    elsewhere_ = !message.manager.empty() && message.manager != callbacks_.manager();
  }
  resume(event::begin{id, std::move(message)});
  if (may_begin && machine_.current() != state::passing) withdraw();
}

void predecessor_driver::closed(const control_session& session) {
  if (peers_.erase(session.id()) > 0) resume(event::closed{session.id()});
}

void predecessor_driver::shutdown(bool with_it) {
  shutting_down_ = true;
  if (in_probation()) {
    // The successor may have died just now, and the event may still wait. It must not be committed.
    const auto id = *machine_.successor();
    const auto session = peer(id);
    if (!session || session->peer_gone()) resume(event::closed{id});
  }
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
    for (const auto& a : machine_.resume(next, offer_.size())) act(a);
  }
}

void predecessor_driver::act(const handoff::predecessor_action& next) {
  const auto carry_out = overloaded{
      [this](const action::spawn& a) { spawn(a.token); },
      [this](const action::arm_timer&) { arm(request_.timeout.value_or(settings_.ready_timeout)); },
      [this](const action::arm_probation&) { arm(settings_.probation); },
      [this](const action::arm_confirmation&) { arm(settings_.confirm_timeout); },
      [this](const action::disarm_timer&) {
        ++timer_armed_;
        timer_.cancel();
      },
      [this](const action::reply_begun& a) { reply_begun(a.peer); },
      [this](const action::reply_batch& a) { reply_batch(a); },
      [this](const action::pause_accepting&) { callbacks_.pause_accepting(unwanted_); },
      [this](const action::resume_accepting&) {
        callbacks_.resume_accepting();
        measured_.resume();
      },
      [this](const action::stop_accepting&) { stop_accepting(); },
      [this](const action::acknowledge& a) { answer(a.peer, {}); },
      [this](const action::acknowledge_ready& a) {
        const auto now = std::chrono::steady_clock::now();
        answer(a.peer, wire::to_reply(wire::readied{measured_.durations_to(phases::ready, now),
                                                    settings_.probation.count() > 0}));
      },
      [this](const action::settle& a) {
        const auto said = wire::to_reply(wire::settled{a.settled});
        if (a.asked) return answer(a.peer, said);
        if (const auto session = peer(a.peer)) session->close_with(said);
      },
      [this](const action::refuse& a) { refuse(a); },
      [this](const action::abort_peer& a) {
        const auto said = wire::to_error("io.graceful.Handoff.Aborted", a.message);
        if (const auto session = peer(a.peer)) session->close_with(said);
      },
      [this](const action::kill_successor&) { child_.kill(); },
      [this](const action::retire_successor&) {
        child_.retire(settings_.drain_timeout + after_drain);
      },
      [this](const action::report_spawned& a) { report_.spawned(static_cast<pid_t>(a.pid)); },
      [this](const action::report_begun&) { report_.begun(); },
      [this](const action::report_passed&) {
        report_.passed(static_cast<std::uint64_t>(std::ranges::count_if(
            offer_, [](const auto& offered) { return !offered.name.starts_with('@'); })));
      },
      [this](const action::report_ready&) { report_.ready(successor_pid(), settings_.probation); },
      [this](const action::report_committed&) { report_.committed(successor_pid(), dropped_); },
      [this](const action::report_failed& a) {
        withdraw();
        report_.failed(a.reason, shutting_down_);
      },
      [this](const action::report_lost&) {
        log_.warning(
            "the connection to the successor has ended; unless it was stopped or upgraded itself, "
            "see who serves (graceful-ctl status), and start the server if nobody does");
      }};
  std::visit(carry_out, next);
}

void predecessor_driver::on_exited(const std::string& how, pid_t pid) {
  const auto id = machine_.successor();
  if (const auto session = id ? peer(*id) : nullptr) session->hear_out();
  if (handed_over()) log_.error("the successor " + how + " after it took over");
  resume(event::exited{how, successor_pid() == pid});
}

void predecessor_driver::withdraw() {
  offer_.clear();
  if (!handed_over()) callbacks_.withdraw();
}

void predecessor_driver::arm(std::chrono::milliseconds duration) {
  timer_.expires_after(duration);
  // A wait that has completed cannot be cancelled any more: the number tells whether it still
  // counts.
  timer_.async_wait([this, duration, armed = ++timer_armed_](boost::system::error_code ec) {
    if (ec || armed != timer_armed_) return;
    const auto pid = known_pid();
    resume(event::timeout{
        .who = "the successor" + (pid ? " (pid " + std::to_string(*pid) + ")" : std::string{}),
        .after = duration_text(duration)});
  });
}

void predecessor_driver::reply_begun(handoff::peer_id id) {
  wire::begun begun{wire::handoff_version, settings_.generation + 1, settings_.name, offer_.size(),
                    measured_.now().totals};
  begun.late_claims = true;
  for (const auto& offered : offer_) {
    if (offered.kept) begun.kept.push_back(offered.name);
  }
  answer(id, wire::to_reply(begun));
}

void predecessor_driver::reply_batch(const action::reply_batch& a) {
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

void predecessor_driver::stop_accepting() {
  // None while the successor may still ask for them: it is worse to end a listener that it is about
  // to use than to close one without a last call.
  const auto names = unwanted_is_final_ ? unwanted_ : std::vector<std::string>{};
  dropped_.clear();
  for (const auto& offered : offer_) {
    if (std::ranges::find(names, offered.name) == names.end()) continue;
    dropped_.push_back(
        {offered.name, os::socket_address::bound_to(offered.descriptor.fd).to_string()});
  }
  callbacks_.stop_accepting(names);
  offer_.clear();
}

void predecessor_driver::refuse(const action::refuse& a) {
  if (a.why != action::refusal::rolled_back && !std::exchange(peers_[a.peer].refused, true)) {
    log_.warning("refused a successor: " + a.message);
  }
  answer(a.peer, a.why == action::refusal::incompatible_version
                     ? wire::to_incompatible_version(a.message, a.versions)
                     : wire::to_error(refusals.at(static_cast<std::size_t>(a.why)), a.message));
}

void predecessor_driver::answer(handoff::peer_id id, const wire::reply& reply) const {
  if (const auto session = peer(id)) session->reply(reply);
}

std::shared_ptr<control_session> predecessor_driver::peer(handoff::peer_id id) const {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.session.lock();
}

}  // namespace graceful
