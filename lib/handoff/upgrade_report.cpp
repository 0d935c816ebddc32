// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/upgrade_report.hpp"

#include <graceful/duration_text.hpp>
#include <graceful/phases.hpp>

#include "wire/control_messages.hpp"

#include <utility>

namespace graceful {

void upgrade_report::start(std::weak_ptr<control_session> operator_session) {
  operator_ = std::move(operator_session);
  started_ = std::chrono::steady_clock::now();
}

void upgrade_report::spawned(pid_t pid) {
  tell({.phase = phases::spawned, .pid = pid}, "spawned pid " + std::to_string(pid));
}

void upgrade_report::begun() {
  tell({.phase = phases::begun, .generation = generation_}, successor() + " has connected");
}

void upgrade_report::passed(std::uint64_t listeners) {
  tell({.phase = phases::passed, .sockets = listeners},
       std::to_string(listeners) + (listeners == 1 ? " socket" : " sockets") + " passed");
}

void upgrade_report::ready(std::optional<pid_t> pid, std::chrono::milliseconds probation) {
  std::string message = successor() + " serves";
  if (probation.count() > 0) {
    message += ", in probation for " + duration_text(probation);
  }
  tell({.phase = phases::ready, .pid = pid, .generation = generation_}, message);
}

void upgrade_report::committed(std::optional<pid_t> pid,
                               const std::vector<dropped_listener>& dropped) {
  answer_deciders(wire::reply{});
  std::string message = successor() + " has taken over; this process drains";
  upgrade_phase phase{.phase = phases::committed, .pid = pid, .generation = generation_};
  for (const auto& [name, address] : dropped) {
    message.append("; nobody listens on ").append(address);
    message.append(" ('").append(name).append("') any more");
    phase.dropped.push_back(name);
    phase.dropped_addresses.push_back(address);
  }
  tell(std::move(phase), message);
}

void upgrade_report::failed(const std::string& reason, bool ends) {
  last_failure_ = reason;
  measured_.fail();
  const std::string consequence = ends ? " ends" : " keeps serving";
  const auto message = "upgrade failed: " + reason + "; this process" + consequence;
  log_.error(message);
  callbacks_.tell_monitors("failed", message);
  const auto answer = wire::to_upgrade_failed(reason + "; the old process" + consequence, ends);
  answer_deciders(answer);
  if (const auto session = std::exchange(operator_, {}).lock()) session->reply(answer);
}

void upgrade_report::tell(upgrade_phase phase, const std::string& message) {
  log_.info("upgrade: " + message);
  callbacks_.tell_monitors(phase.phase, "upgrade: " + message);
  const auto step = measured_.reach(phase.phase, started_, std::chrono::steady_clock::now());
  const auto session = operator_.lock();
  if (!session) return;
  phase.elapsed = step.elapsed;
  phase.duration = step.duration;
  auto reply = wire::to_reply(phase);
  reply.continues = phase.phase != phases::committed;
  session->reply(reply);
}

void upgrade_report::answer_deciders(const wire::reply& answer) {
  for (const auto& decider : std::exchange(deciders_, {})) {
    if (const auto session = decider.lock()) session->reply(answer);
  }
}

std::string upgrade_report::successor() const {
  return "generation " + std::to_string(generation_);
}

}  // namespace graceful
