// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What a process says about itself, what it offers to a successor, and what other generations tell
// it.
#include <graceful/version.hpp>

#include "os/listening_socket.hpp"
#include "server/lifecycle.hpp"
#include "wire/control_messages.hpp"
#include "wire/open_metrics.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <unistd.h>

namespace graceful {

namespace {

std::string name_of(const draining_process& process) {
  const auto name = "generation " + std::to_string(process.generation);
  // 0: the process is in a PID namespace that is not visible from here.
  return process.pid > 0 ? name + " (pid " + std::to_string(process.pid) + ")" : name;
}

}  // namespace

/// Says why this process takes part in no upgrade now; none: it does.
std::optional<wire::reply> lifecycle::refusal() const {
  const auto life = now();
  if (life.current() == life::stage::draining) {
    return wire::to_error(wire::busy_error,
                          "the server drains, and ends; start it again when it has ended");
  }
  if (life.was_ready() && !life.committed()) {
    return wire::to_error(wire::busy_error, "this process is in its probation");
  }
  if (!life.was_ready()) {
    return wire::to_error(wire::not_ready_error, "the server has not finished starting; try again");
  }
  return {};
}

/// A supervisor finds a successor by the control path, so that has to be in place.
std::optional<std::string> lifecycle::objection(bool spawned) const {
  return service_->objection(spawned && path_keeper_ && path_keeper_->in_place());
}

std::vector<offered_descriptor> lifecycle::offer() {
  // Shared, because a batch may still be under way when the handover lets them go.
  const auto shared = [](const std::shared_ptr<const unique_fd>& fd) -> passed_descriptor {
    return {fd->get(), fd};
  };
  const auto sockets = sockets_->freeze();
  const auto kept = sockets_->kept();
  std::vector<offered_descriptor> offered;
  offered.reserve(sockets.size() + 2);
  offered.push_back({std::string{wire::lock_name}, shared(owned_.lock)});
  offered.push_back({std::string{wire::control_name}, shared(owned_.control)});
  for (const auto& socket : sockets) {
    offered.push_back(
        {socket->name, {socket->fd.get(), socket}, std::ranges::binary_search(kept, socket->name)});
  }
  return offered;
}

server_status lifecycle::status() const {
  using namespace std::chrono;
  server_status s{
      .name = driver_->name(),
      .generation = generation_,
      .pid = ::getpid(),
      .uptime = duration_cast<milliseconds>(steady_clock::now() - started_),
      .state = state(),
      .version = GRACEFUL_VERSION_STRING,
      .connections = tracked_->open(),
      .listeners = listeners(),
      .draining = older_.all(),
      .successor_pid = driver_->in_probation() ? driver_->successor_pid() : std::nullopt,
      .last_failure = driver_->last_failure()};
  for (auto& [name, address] : sockets_->dropped()) {
    s.dropped.push_back(std::move(name));
    s.dropped_addresses.push_back(std::move(address));
  }
  if (!predecessor_ || !predecessor_->alive() || draining()) return s;
  const auto reported = std::ranges::any_of(
      s.draining, [this](const auto& process) { return process.pid == predecessor_->pid(); });
  if (!reported) s.draining.push_back({generation_ - 1, predecessor_->pid(), {}});
  return s;
}

const char* lifecycle::state() const {
  const auto life = now();
  if (life.drains()) return "draining";
  if (!life.was_ready()) return "starting";
  // With a probation of 0, "probation" would only be the moment until the successor confirms.
  const auto measured = statistics_.now();
  if (measured.probation && options_.probation.count() > 0) return "probation";
  return measured.upgrading ? "upgrading" : "serving";
}

/// Each name of a state but one completes the sentence.
std::string lifecycle::state_in_words() const {
  const std::string name = state();
  return "the server is " + (name == "probation" ? "in the probation of an upgrade" : name);
}

std::vector<listener_status> lifecycle::listeners() const {
  std::vector<listener_status> all;
  for (const auto& socket : sockets_->sockets()) {
    const auto queue = os::accept_queue_of(socket->fd.get());
    all.push_back({socket->name, socket->address.to_string(), queue.length, queue.limit});
  }
  return all;
}

/// Any thread may ask, so it reads nothing that lives on the control thread.
std::string lifecycle::metrics() const {
  const auto open = tracked_->open();
  const auto measured = statistics_.now();
  auto totals = measured.totals;
  totals.cut += tracked_->cut();
  return wire::to_open_metrics(
      {.version = GRACEFUL_VERSION_STRING,
       .generation = generation_,
       .state = state(),
       .so_far = totals,
       .last_upgrade = measured.durations,
       .connections = open,
       .connections_draining = measured.draining_before + (draining() ? open : 0),
       .listeners = listeners(),
       .listeners_dropped = sockets_->dropped().size()});
}

/// Hears a process of another generation that drains. If this process drains too, it closes the
/// connection: the reporter connects again, and finds the process that serves.
void lifecycle::on_report(control_session& from, const wire::report& said) {
  if (draining()) return from.close();
  const draining_process process{said.generation, said.pid, said.connections};
  predecessor_reports_ = predecessor_reports_ || is_predecessor(process);
  const auto answer = older_.report(from.id(), process, said.cut);
  service_->others_drain(older_.all());
  statistics_.others_drain(older_.connections(), answer.newly_cut);
  if (answer.told_to_hurry) {
    const auto message = name_of(*answer.told_to_hurry) +
                         " is told to cut its connections: more than " +
                         std::to_string(options_.max_draining) + " generations drain";
    log_.warning(message);
    server_->tell("hurried", message);
  }
  from.reply(wire::to_reply(wire::reported{answer.hurry}));
}

void lifecycle::on_reporter_gone(const control_session& from) {
  const auto ended = older_.closed(from.id());
  service_->others_drain(older_.all());
  statistics_.others_drain(older_.connections());
  if (ended) tell_end(*ended);
}

/// A predecessor that reports closes that connection when it ends. Either event may be seen first.
void lifecycle::on_predecessor_ended() {
  if (!predecessor_reports_) tell_end({generation_ - 1, predecessor_->pid(), {}});
}

bool lifecycle::is_predecessor(const draining_process& process) const {
  return predecessor_ && process.generation + 1 == generation_ &&
         (predecessor_->pid() <= 0 || predecessor_->pid() == process.pid);
}

void lifecycle::tell_end(const draining_process& process) {
  if (draining() || (is_predecessor(process) && std::exchange(predecessor_ended_, true))) return;
  const auto message = name_of(process) + " has ended";
  log_.info(message);
  server_->tell("generation_ended", message);
}

}  // namespace graceful
