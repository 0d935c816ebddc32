// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/control_server.hpp"

#include "handoff/passed_channel.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/interfaces.hpp"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <unistd.h>

namespace graceful {

namespace {

/// Half of the connections; the others are for callers that give orders, and for successors.
constexpr std::size_t max_monitors = 32;

constexpr const char* upgrade_parameters = "command, environment or timeout_ms";

}  // namespace

control_server::control_server(asio::io_context& control, log& log, predecessor_driver& driver,
                               settings s, callbacks on)
    : log_{log},
      driver_{driver},
      settings_{s},
      callbacks_{std::move(on)},
      host_{control,
            log,
            "control socket",
            {.call = [this](control_session& from, const wire::call& c) { on_call(from, c); },
             .closed =
                 [this](const control_session& from) {
                   driver_.closed(from);
                   callbacks_.reporter_gone(from);
                 },
             .needed =
                 [this](const control_session& s) {
                   return driver_.is_successor(s) || (driver_.busy() && s.awaits_peer());
                 }}} {}

unique_fd control_server::open_channel() {
  auto channel = channel_pair::make();
  try {
    if (channel.ours) host_.adopt(std::move(channel.ours));
  } catch (const std::exception&) {
    return {};  // no room in epoll; the successor can use the control path
  }
  return std::move(channel.theirs);
}

/// Why the caller may not choose the command or the directory; none if it may, or chooses nothing.
/// The command gets all rights of this process, which the same user need not have.
std::optional<std::string> control_server::denial(control_session& from,
                                                  const upgrade_request& request) const {
  const bool chooses =
      !request.command.empty() || !request.environment.empty() || !request.directory.empty();
  if (!chooses) return {};
  if (settings_.fixed_command) {
    return "this server lets nobody choose the command, the environment or the directory of its "
           "successor (options::fixed_command); put the new build at the path of the old one, and "
           "ask again without COMMAND, --env and --directory";
  }
  if (!from.has_rights_of_this()) {
    return "the server has capabilities that the caller seems to lack, and would execute COMMAND "
           "with them; ask again without COMMAND, --env and "
           "--directory, or as root";
  }
  return {};
}

void control_server::upgrade(control_session& from, const wire::call& call) {
  const auto request = wire::parse_upgrade(call.parameters);
  if (!request) return from.reply(wire::invalid(upgrade_parameters));
  if (const auto why = denial(from, *request)) {
    return from.reply(wire::to_error(wire::permission_denied, "permission denied: " + *why));
  }
  driver_.upgrade(from, *request);
}

void control_server::on_call(control_session& from, const wire::call& call) {
  if (auto answer = wire::answer_service_call(call)) return from.reply(*answer);
  // A successor that asks for a rollback may end before the call is read.
  const bool of_operator = driver_.successor_pid() != from.peer_pid();
  if (of_operator && wire::is_order(call.method) && from.caller_gone()) {
    // The order arrived while this process was stopped or busy. The caller has reported a failure
    // since.
    log_.warning("the order " + call.method + " is dropped: its caller has given up");
    return from.close();
  }
  if (call.method == wire::status_method) return from.reply(wire::to_reply(callbacks_.status()));
  if (call.method == wire::metrics_method) return from.reply(wire::to_reply(callbacks_.metrics()));
  if (call.method == wire::plan_method) return plan(from, call);
  if (call.method == wire::drain_method) {
    const auto now = wire::parse_drain(call.parameters);
    if (!now) return from.reply(wire::invalid("now"));
    if (!driver_.in_probation()) return callbacks_.drain(from, *now);
    // The order does not say whether it means this process or its successor.
    return from.reply(wire::to_error(wire::busy_error, driver_.why_busy()));
  }
  if (call.method == wire::monitor_method) {
    if (call.more) return monitor(from);
    wire::reply refusal;
    refusal.error = wire::expected_more;
    return from.reply(refusal);
  }
  if (call.method == wire::report_method) {
    const auto report = wire::parse<wire::report>(call.parameters);
    if (report) return callbacks_.report(from, *report);
    return from.reply(wire::invalid("generation, pid or connections"));
  }
  if (call.method == wire::watch_method) {
    const auto supervisor = wire::string_field(call.parameters, "supervisor");
    if (!supervisor) return from.reply(wire::invalid("supervisor"));
    callbacks_.watched(*supervisor);
    return from.reply(wire::reply{});
  }
  if (call.method == wire::abort_method) {
    if (driver_.abort()) return from.reply(wire::reply{});
    return from.reply(wire::to_error(
        wire::no_upgrade_error,
        driver_.in_probation()
            ? "the successor is ready already: graceful-ctl rollback has this process serve again"
            : "no upgrade is under way that could be aborted"));
  }
  if (call.method == wire::commit_method || call.method == wire::rollback_method) {
    const auto reason = wire::parse_rollback(call.parameters);
    if (!reason) return from.reply(wire::invalid("reason"));
    return call.method == wire::commit_method ? driver_.commit(from)
                                              : driver_.rollback(from, *reason);
  }
  const bool known =
      call.method == wire::upgrade_method || call.method.starts_with("io.graceful.Handoff.");
  if (known) {
    if (const auto refusal = callbacks_.refusal()) return from.reply(*refusal);
  }
  if (call.method == wire::upgrade_method) return upgrade(from, call);
  if (!driver_.handoff(from, call)) from.reply(wire::unknown_method(call));
}

void control_server::plan(control_session& from, const wire::call& call) {
  const auto request = wire::parse_upgrade(call.parameters);
  if (!request) return from.reply(wire::invalid(upgrade_parameters));
  auto why = denial(from, *request);
  // A caller that may not choose does not learn what there is to choose either: this process may
  // see more than the caller.
  auto plan = driver_.plan(why ? upgrade_request{} : *request);
  plan.listeners = callbacks_.status().listeners;
  if (why) plan.obstacles.push_back({"permission", std::move(*why)});
  if (const auto refusal = callbacks_.refusal()) {
    plan.obstacles.insert(plan.obstacles.begin(),
                          {refusal->error == wire::not_ready_error ? "not_ready" : "busy",
                           wire::string_field(refusal->parameters, "message").value_or("")});
  }
  from.reply(wire::to_reply(plan));
}

void control_server::monitor(control_session& from) {
  std::erase_if(monitors_, [](const auto& each) { return each.expired(); });
  if (monitors_.size() >= max_monitors) {
    return from.reply(wire::to_error(
        wire::busy_error, std::to_string(max_monitors) +
                              " Monitor calls are under way, and no more are taken; end one"));
  }
  from.reply(to_reply("watching", callbacks_.state()));
  if (conclusion_) return from.reply(*conclusion_);  // it connected earlier
  monitors_.push_back(from.weak_from_this());
}

void control_server::tell(const std::string& event, const std::string& message) {
  const auto reply = to_reply(event, message);
  const auto monitors = monitors_;
  for (const auto& each : monitors) {
    if (const auto session = each.lock()) session->reply(reply);
  }
}

void control_server::conclude(const std::string& event, const std::string& message) {
  conclusion_ = to_reply(event, message);
  conclusion_->continues = false;
  for (const auto& each : std::exchange(monitors_, {})) {
    if (const auto session = each.lock()) session->reply(*conclusion_);
  }
}

wire::reply control_server::to_reply(const std::string& event, const std::string& message) const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto reply = wire::to_reply(
      server_event{.event = event,
                   .message = message,
                   .generation = settings_.generation,
                   .pid = ::getpid(),
                   .time = std::chrono::duration_cast<std::chrono::milliseconds>(now)});
  reply.continues = true;
  return reply;
}

}  // namespace graceful
