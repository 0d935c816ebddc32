// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/control_messages.hpp"

#include "wire/fields.hpp"
#include "wire/members.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace graceful::wire {

template <>
struct members<listener_status> {
  static constexpr std::tuple table{
      required("name", &listener_status::name), required("address", &listener_status::address),
      required("queue", &listener_status::queue), required("backlog", &listener_status::backlog)};
};

template <>
struct members<draining_process> {
  static constexpr std::tuple table{required("generation", &draining_process::generation),
                                    required("pid", &draining_process::pid),
                                    lenient("connections", &draining_process::connections),
                                    required("hurried", &draining_process::hurried)};
};

template <>
struct members<server_status> {
  static constexpr std::tuple table{
      required("name", &server_status::name),
      required("generation", &server_status::generation),
      required("pid", &server_status::pid),
      required("uptime_ms", &server_status::uptime),
      required("state", &server_status::state),
      required("version", &server_status::version),
      required("connections", &server_status::connections),
      required("listeners", &server_status::listeners),
      newer("draining", &server_status::draining),
      lenient("last_failure", &server_status::last_failure),
      optional("dropped", &server_status::dropped),
      lenient("dropped_addresses", &server_status::dropped_addresses)};
};

template <>
struct members<upgrade_request> {
  static constexpr std::tuple table{optional("command", &upgrade_request::command),
                                    optional("directory", &upgrade_request::directory),
                                    optional("environment", &upgrade_request::environment),
                                    optional("timeout_ms", &upgrade_request::timeout)};
};

template <>
struct members<upgrade_obstacle> {
  static constexpr std::tuple table{required("kind", &upgrade_obstacle::kind),
                                    required("message", &upgrade_obstacle::message)};
};

template <>
struct members<upgrade_plan> {
  static constexpr std::tuple table{required("program", &upgrade_plan::program),
                                    required("arguments", &upgrade_plan::arguments),
                                    required("directory", &upgrade_plan::directory),
                                    required("environment", &upgrade_plan::environment),
                                    required("generation", &upgrade_plan::generation),
                                    required("timeout_ms", &upgrade_plan::timeout),
                                    required("probation_ms", &upgrade_plan::probation),
                                    required("listeners", &upgrade_plan::listeners),
                                    required("obstacles", &upgrade_plan::obstacles)};
};

template <>
struct members<upgrade_phase> {
  static constexpr std::tuple table{
      required("phase", &upgrade_phase::phase),
      required("elapsed_ms", &upgrade_phase::elapsed),
      lenient("duration_ms", &upgrade_phase::duration),
      lenient("pid", &upgrade_phase::pid),
      lenient("generation", &upgrade_phase::generation),
      lenient("sockets", &upgrade_phase::sockets),
      lenient("dropped", &upgrade_phase::dropped),
      lenient("dropped_addresses", &upgrade_phase::dropped_addresses)};
};

template <>
struct members<drain_progress> {
  static constexpr std::tuple table{
      required("phase", &drain_progress::phase), required("elapsed_ms", &drain_progress::elapsed),
      required("connections", &drain_progress::connections), required("cut", &drain_progress::cut)};
};

template <>
struct members<server_event> {
  static constexpr std::tuple table{
      required("event", &server_event::event), required("message", &server_event::message),
      required("generation", &server_event::generation), required("pid", &server_event::pid),
      required("time_ms", &server_event::time)};
};

template <>
struct members<server_metrics> {
  static constexpr std::tuple table{required("text", &server_metrics::text)};
};

namespace {

/// execve(2) ends a string at a NUL, and would not run what was asked for.
bool without_nul(std::string_view text) { return text.find('\0') == std::string_view::npos; }

bool is_usable(const json::object& parameters, const upgrade_request& m) {
  const auto usable = [](const auto& variable) {
    return without_nul(variable.first) && without_nul(variable.second);
  };
  // A relative path is ambiguous: it could be relative to any process.
  return std::ranges::all_of(m.command, without_nul) &&
         (m.directory.starts_with('/') || !has_field(parameters, "directory")) &&
         without_nul(m.directory) && std::ranges::all_of(m.environment, usable) &&
         (!m.timeout || (m.timeout->count() > 0 && *m.timeout <= max_timeout));
}

/// An older server sends no addresses.
template <class M>
void pair_addresses(M& m) {
  if (m.dropped_addresses.size() != m.dropped.size()) m.dropped_addresses.clear();
}

}  // namespace

std::optional<upgrade_request> parse_upgrade(const json::object& parameters) {
  auto m = parse<upgrade_request>(parameters);
  if (m && !is_usable(parameters, *m)) m.reset();
  return m;
}

std::optional<upgrade_phase> parse_phase(const json::object& parameters) {
  auto m = parse<upgrade_phase>(parameters);
  if (m) pair_addresses(*m);
  return m;
}

std::optional<server_status> parse_status(const json::object& parameters) {
  auto m = parse<server_status>(parameters);
  if (!m) return m;
  pair_addresses(*m);
  if (!has_field(parameters, "successor")) return m;
  const json::value& successor = parameters.at("successor");
  if (successor.is_object()) m->successor_pid = int_field(successor.get_object(), "pid");
  if (!m->successor_pid) m.reset();
  return m;
}

std::optional<upgrade_plan> parse_plan(const json::object& parameters) {
  return parse<upgrade_plan>(parameters);
}
std::optional<drain_progress> parse_progress(const json::object& parameters) {
  return parse<drain_progress>(parameters);
}
std::optional<server_event> parse_event(const json::object& parameters) {
  return parse<server_event>(parameters);
}
std::optional<server_metrics> parse_metrics(const json::object& parameters) {
  return parse<server_metrics>(parameters);
}

std::optional<bool> parse_drain(const json::object& parameters) {
  return flag_field(parameters, "now");
}

std::optional<std::string> parse_rollback(const json::object& parameters) {
  if (!has_field(parameters, "reason")) return "an operator asked for it";
  return string_field(parameters, "reason");
}

call to_call(const upgrade_request& m) {
  auto c = call_of(upgrade_method, m);
  c.more = true;
  return c;
}

call to_plan_call(const upgrade_request& m) { return call_of(plan_method, m); }

reply to_reply(const server_status& m) {
  auto r = reply_of(m);
  if (m.successor_pid) r.parameters["successor"] = json::object{{"pid", *m.successor_pid}};
  return r;
}

reply to_reply(const upgrade_plan& m) { return reply_of(m); }
reply to_reply(const upgrade_phase& m) { return reply_of(m); }
reply to_reply(const drain_progress& m) { return reply_of(m); }
reply to_reply(const server_event& m) { return reply_of(m); }
reply to_reply(const server_metrics& m) { return reply_of(m); }

reply to_error(std::string_view error, std::string_view message) {
  reply r;
  r.error = error;
  r.parameters["message"] = message;
  return r;
}

reply to_upgrade_failed(std::string_view message, bool ends) {
  auto r = to_error(upgrade_failed_error, message);
  if (ends) r.parameters["ends"] = true;
  return r;
}

}  // namespace graceful::wire
