// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/control_client.hpp>
#include <graceful/phases.hpp>

#include "control/varlink_caller.hpp"
#include "os/channel.hpp"
#include "os/text.hpp"
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"

#include <algorithm>
#include <utility>

namespace graceful {

namespace {

/// How much longer than the upgrade itself its last answer may take: a successor that was not ready
/// in time is killed and reaped first.
constexpr std::chrono::seconds grace{5};

/// If the request names no limit, the server's own applies, which is unknown here. So wait for the
/// longest possible.
constexpr std::chrono::milliseconds longest_upgrade = wire::max_timeout;

/// How often a server reports while it drains.
constexpr std::chrono::seconds drain_report_interval{1};

/// Checks what the server would answer by closing the connection.
result<void> check(const upgrade_request& request, const wire::call& call) {
  const bool sayable =
      std::ranges::all_of(request.command, is_text) && is_text(request.directory) &&
      std::ranges::all_of(request.environment,
                          [](const auto& v) { return is_text(v.first) && is_text(v.second); });
  if (!sayable) {
    return failure{
        errc::invalid_argument,
        "the command, directory and environment of the new process have to be UTF-8; put what is "
        "not into a script, and name that as the command"};
  }
  if (wire::to_message(call).size() > wire::max_call_size) {
    return failure{
        errc::invalid_argument,
        "the command and the environment of the new process are too long for one call (" +
            std::to_string(wire::max_call_size / 1024) +
            " KiB); put them into a script, and name that as the command"};
  }
  return {};
}

/// Asks the server whether its interface contains `part`. `otherwise` completes the sentence "the
/// server is of an older build, ...".
result<void> check_offers(varlink_caller& server, std::string_view part, const char* otherwise) {
  wire::call call{.method = "org.varlink.service.GetInterfaceDescription", .parameters = {}};
  call.parameters["interface"] = "io.graceful.Control";
  const auto reply = server.ask(call);
  if (!reply) return reply.error();
  const auto description = wire::string_field(reply->parameters, "description");
  if (description && description->find(part) != std::string::npos) return {};
  return failure{errc::incompatible_version,
                 std::string{"the server is of an older build, "} + otherwise};
}

/// Makes a call, and hands each of its replies to `on_value`, until the last one or until that
/// returns false. Returns the one that it ends with. `until` tells the deadline of the next reply
/// from the reply before; null: there is none.
template <class Value, class Until, class OnValue>
result<Value> follow(varlink_caller& server, const wire::call& call,
                     std::optional<Value> (*parse)(const wire::json::object&), Until until,
                     OnValue on_value) {
  varlink_caller::conversation talk{server};
  if (auto sent = talk.begin(call); !sent) return sent.error();
  const Value* before = nullptr;
  for (result<Value> value;; before = &*value) {
    const auto reply = talk.receive(until(before));
    value = to_value(reply, parse);
    if (!value) return value;
    if (!reply->continues) talk.end();
    if (!on_value(*value) || !reply->continues) return value;
  }
}

}  // namespace

class control_client::impl {
 public:
  varlink_caller server;
};

control_client::control_client(std::unique_ptr<impl> p) noexcept : impl_{std::move(p)} {}
control_client::control_client(control_client&&) noexcept = default;
control_client& control_client::operator=(control_client&&) noexcept = default;
control_client::~control_client() = default;

result<control_client> control_client::connect(const std::string& path,
                                               std::chrono::milliseconds deadline) {
  auto caller = varlink_caller::connect(path, deadline);
  if (!caller) return caller.error();
  return control_client{std::make_unique<impl>(impl{std::move(*caller)})};
}

result<server_status> control_client::status() {
  return to_value(impl_->server.ask(wire::status_method), wire::parse_status);
}

result<upgrade_phase> control_client::upgrade(
    const upgrade_request& request, const std::function<bool(const upgrade_phase&)>& on_phase) {
  const auto call = wire::to_call(request);
  if (auto sayable = check(request, call); !sayable) return sayable.error();
  if (!request.directory.empty()) {
    // An older server ignores the parameter and would start its successor in its own directory.
    const auto known =
        check_offers(impl_->server, "directory: ?string",
                     "which cannot start its successor in another directory; upgrade "
                     "it without a directory first, or restart it there");
    if (!known) return known.error();
  }
  os::deadline ready_by;
  const auto until = [&](const upgrade_phase* before) {
    if (before == nullptr) {
      ready_by =
          os::after(std::min(request.timeout.value_or(longest_upgrade), longest_upgrade) + grace);
      return os::after(impl_->server.deadline());
    }
    // A probation may last as long as an upgrade.
    return before->phase == phases::ready ? os::after(longest_upgrade + grace) : ready_by;
  };
  return follow(impl_->server, call, wire::parse_phase, until,
                [&](const upgrade_phase& phase) { return !on_phase || on_phase(phase); });
}

result<upgrade_plan> control_client::plan(const upgrade_request& request) {
  const auto call = wire::to_call(request, wire::plan_method);
  if (auto sayable = check(request, call); !sayable) return sayable.error();
  const auto known = check_offers(impl_->server, "method Plan(",
                                  "which cannot say what an upgrade would do; nothing was begun. "
                                  "Upgrade it without --dry-run");
  if (!known) return known.error();
  return to_value(impl_->server.ask(call), wire::parse<upgrade_plan>);
}

result<void> control_client::commit() { return impl_->server.order(wire::commit_method); }
result<void> control_client::rollback() { return impl_->server.order(wire::rollback_method); }
result<void> control_client::abort() { return impl_->server.order(wire::abort_method); }

result<drain_progress> control_client::drain(
    bool now, const std::function<void(const drain_progress&)>& on_progress) {
  wire::call call{.method = std::string{wire::drain_method}, .parameters = {}, .more = true};
  if (now) call.parameters["now"] = true;
  return follow(
      impl_->server, call, wire::parse<drain_progress>,
      [this](const auto*) { return os::after(impl_->server.deadline() + drain_report_interval); },
      [&](const drain_progress& progress) {
        if (on_progress) on_progress(progress);
        return true;
      });
}

result<server_event> control_client::monitor(
    const std::function<void(const server_event&)>& on_event) {
  const wire::call call{
      .method = std::string{wire::monitor_method}, .parameters = {}, .more = true};
  return follow(
      impl_->server, call, wire::parse<server_event>,
      [](const auto*) { return os::deadline::max(); },  // a long time may pass without an event
      [&](const server_event& event) {
        if (on_event) on_event(event);
        return true;
      });
}

result<server_metrics> control_client::metrics() {
  const auto reply = impl_->server.ask(wire::metrics_method);
  auto metrics = to_value(reply, wire::parse<server_metrics>);
  // Other texts have one line, and a limited length.
  if (metrics)
    metrics->text = printable_lines(wire::parse<server_metrics>(reply->parameters)->text);
  return metrics;
}

}  // namespace graceful
