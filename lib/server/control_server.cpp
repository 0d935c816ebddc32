// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/control_server.hpp"

#include "handoff/passed_channel.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/interfaces.hpp"

#include <exception>
#include <string>
#include <utility>

namespace graceful {

control_server::control_server(asio::io_context& control, log& log, predecessor_driver& driver,
                               settings s)
    : log_{log},
      driver_{driver},
      settings_{std::move(s)},
      host_{control,
            log,
            "control socket",
            {.call = [this](control_session& from, const wire::call& c) { on_call(from, c); },
             .closed =
                 [this](const control_session& from) {
                   driver_.closed(from);
                   settings_.reporter_gone(from);
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
    return "the server has capabilities that the process which asks has not, as far as can be "
           "seen, and would execute COMMAND with them; ask again without COMMAND, --env and "
           "--directory, or as root";
  }
  return {};
}

void control_server::on_upgrade(control_session& from, const upgrade_request& request) {
  if (const auto why = denial(from, request)) {
    return from.reply(wire::to_error(wire::permission_denied, "permission denied: " + *why));
  }
  driver_.upgrade(from, request);
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
  if (call.method == wire::status_method) return from.reply(wire::to_reply(settings_.status()));
  if (call.method == wire::metrics_method) return from.reply(wire::to_reply(settings_.metrics()));
  if (call.method == wire::plan_method) return plan(from, call);
  if (call.method == wire::drain_method) {
    const auto now = wire::parse_drain(call.parameters);
    if (now) return settings_.drain(from, *now);
    return from.reply(wire::invalid("now"));
  }
  if (call.method == wire::monitor_method) {
    if (call.more) return settings_.monitor(from);
    wire::reply refusal;
    refusal.error = wire::expected_more;
    return from.reply(refusal);
  }
  if (call.method == wire::report_method) {
    const auto report = wire::parse<wire::report>(call.parameters);
    if (report) return settings_.report(from, *report);
    return from.reply(wire::invalid("generation, pid or connections"));
  }
  if (call.method == wire::watch_method) {
    const auto supervisor = wire::string_field(call.parameters, "supervisor");
    if (!supervisor) return from.reply(wire::invalid("supervisor"));
    settings_.watched(*supervisor);
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
    if (const auto refusal = settings_.refusal()) return from.reply(*refusal);
  }
  if (call.method == wire::upgrade_method) {
    const auto request = wire::parse_upgrade(call.parameters);
    if (request) return on_upgrade(from, *request);
    return from.reply(wire::invalid("command, environment or timeout_ms"));
  }
  if (!driver_.handoff(from, call)) from.reply(wire::unknown_method(call));
}

void control_server::plan(control_session& from, const wire::call& call) {
  const auto request = wire::parse_upgrade(call.parameters);
  if (!request) return from.reply(wire::invalid("command, environment or timeout_ms"));
  auto why = denial(from, *request);
  // A caller that may not choose does not learn what there is to choose either: this process may
  // see more than the caller.
  auto plan = driver_.plan(why ? upgrade_request{} : *request);
  plan.listeners = settings_.status().listeners;
  if (why) plan.obstacles.push_back({"permission", std::move(*why)});
  if (const auto refusal = settings_.refusal()) {
    plan.obstacles.insert(plan.obstacles.begin(),
                          {refusal->error == wire::not_ready_error ? "not_ready" : "busy",
                           wire::string_field(refusal->parameters, "message").value_or("")});
  }
  from.reply(wire::to_reply(plan));
}

}  // namespace graceful
