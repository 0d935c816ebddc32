// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What a process answers when it is asked about itself, and what it has to offer.
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

/// Why this process takes part in no upgrade now.
std::optional<wire::reply> lifecycle::refusal() const {
  if (draining_ && !handed_over_) {
    return wire::to_error(wire::busy_error,
                          "the server drains, and ends; start it again when it has");
  }
  if (ready_ && !committed_) {
    return wire::to_error(wire::busy_error, "this process is in its probation");
  }
  if (!ready_) {
    return wire::to_error(wire::not_ready_error, "the server has not finished starting; try again");
  }
  return {};
}

/// On a control path that is not in place nobody could see the successor.
std::optional<std::string> lifecycle::objection(bool spawned) const {
  return service_->objection(spawned && path_keeper_ && path_keeper_->in_place());
}

std::vector<offered_descriptor> lifecycle::offer() {
  // Shared: a batch may still be under way when the handover lets them go.
  const auto shared = [](const std::shared_ptr<const unique_fd>& fd) -> passed_descriptor {
    return {fd->get(), fd};
  };
  const auto sockets = around_.sockets.freeze();
  const auto kept = around_.sockets.kept();
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
      .connections = around_.tracked.open(),
      .listeners = listeners(),
      .draining = older_.all(),
      .successor_pid = driver_->in_probation() ? driver_->successor_pid() : std::nullopt,
      .last_failure = driver_->last_failure()};
  for (auto& [name, address] : around_.sockets.dropped()) {
    s.dropped.push_back(std::move(name));
    s.dropped_addresses.push_back(std::move(address));
  }
  if (!predecessor_ || !predecessor_->alive() || draining_) return s;
  const auto reported = std::ranges::any_of(
      s.draining, [this](const auto& process) { return process.pid == predecessor_->pid(); });
  if (!reported) s.draining.push_back({generation_ - 1, predecessor_->pid(), {}});
  return s;
}

const char* lifecycle::state() const {
  if (draining_) return "draining";
  if (!ready_) return "starting";
  // Without one it is the moment until the successor confirms that it is there.
  if (statistics_.probation() && options_.probation.count() > 0) return "probation";
  return statistics_.upgrading() ? "upgrading" : "serving";
}

/// The name of a state makes a sentence, but for one.
std::string lifecycle::state_in_words() const {
  const std::string name = state();
  return "the server is " + (name == "probation" ? "in the probation of an upgrade" : name);
}

std::vector<listener_status> lifecycle::listeners() const {
  std::vector<listener_status> all;
  for (const auto& socket : around_.sockets.sockets()) {
    const auto queue = os::accept_queue_of(socket->fd.get());
    all.push_back({socket->name, socket->address.to_string(), queue.length, queue.limit});
  }
  return all;
}

/// Asked by any thread: nothing that lives on the control thread is looked at.
std::string lifecycle::metrics() const {
  const auto open = around_.tracked.open();
  auto totals = statistics_.totals();
  totals.cut += around_.tracked.cut();
  return wire::to_open_metrics(
      {.version = GRACEFUL_VERSION_STRING,
       .generation = generation_,
       .state = state(),
       .so_far = totals,
       .last_upgrade = statistics_.durations(),
       .connections = open,
       .connections_draining = statistics_.draining_before() + (draining_ ? open : 0),
       .listeners = listeners(),
       .listeners_dropped = around_.sockets.dropped().size()});
}

}  // namespace graceful
