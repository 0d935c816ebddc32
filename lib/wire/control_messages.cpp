// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/control_messages.hpp"

#include "wire/fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graceful::wire {

namespace {

std::optional<draining_process> parse_draining(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const json::object& o = value.get_object();
  const auto generation = count_field(o, "generation");
  const auto pid = int_field(o, "pid");
  const auto hurried = bool_field(o, "hurried");
  if (!generation || !pid || !hurried) return std::nullopt;
  return draining_process{*generation, *pid, count_field(o, "connections"), *hurried};
}

std::optional<std::chrono::milliseconds> duration_field(const json::object& o,
                                                        std::string_view key) {
  const auto count = count_field(o, key);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds{*count};
}

/// Empty if there are not as many as names, or none: an older server does not send them.
std::vector<std::string> dropped_addresses_field(const json::object& o, std::size_t names) {
  auto addresses = strings_field(o, "dropped_addresses").value_or(std::vector<std::string>{});
  return addresses.size() == names ? std::move(addresses) : std::vector<std::string>{};
}

void put_strings(json::object& o, std::string_view key, const std::vector<std::string>& strings) {
  if (!strings.empty()) o[key] = json::array(strings.begin(), strings.end());
}

/// execve(2) ends a string at a NUL, and would not run what was asked for.
bool without_nul(std::string_view text) { return text.find('\0') == std::string_view::npos; }

}  // namespace

std::optional<listener_status> parse_listener(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const json::object& o = value.get_object();
  const auto name = string_field(o, "name");
  const auto address = string_field(o, "address");
  const auto queue = count_field(o, "queue");
  const auto backlog = count_field(o, "backlog");
  if (!name || !address || !queue || !backlog) return std::nullopt;
  return listener_status{*name, *address, *queue, *backlog};
}

json::object to_object(const listener_status& m) {
  json::object o;
  o["name"] = m.name;
  o["address"] = m.address;
  o["queue"] = number(m.queue);
  o["backlog"] = number(m.backlog);
  return o;
}

std::optional<upgrade_request> parse_upgrade(const json::object& parameters) {
  upgrade_request m;
  if (has_field(parameters, "command")) {
    auto command = strings_field(parameters, "command");
    if (!command || !std::ranges::all_of(*command, without_nul)) return std::nullopt;
    m.command = std::move(*command);
  }
  if (has_field(parameters, "directory")) {
    auto directory = string_field(parameters, "directory");
    // A relative path is ambiguous: it could be relative to any process.
    if (!directory || !directory->starts_with('/') || !without_nul(*directory)) return std::nullopt;
    m.directory = std::move(*directory);
  }
  if (has_field(parameters, "environment")) {
    const json::value& environment = parameters.at("environment");
    if (!environment.is_object()) return std::nullopt;
    for (const auto& [key, value] : environment.get_object()) {
      if (!value.is_string() || !without_nul(key) || !without_nul(value.get_string())) {
        return std::nullopt;
      }
      m.environment.emplace(key, value.get_string());
    }
  }
  if (has_field(parameters, "timeout_ms")) {
    const auto timeout = count_field(parameters, "timeout_ms");
    if (!timeout) return std::nullopt;
    const auto duration = std::chrono::milliseconds{*timeout};
    if (duration <= duration.zero() || duration > max_timeout) return std::nullopt;
    m.timeout = duration;
  }
  return m;
}

std::optional<upgrade_phase> parse_phase(const json::object& parameters) {
  auto phase = string_field(parameters, "phase");
  const auto elapsed = count_field(parameters, "elapsed_ms");
  if (!phase || !elapsed) return std::nullopt;
  auto dropped = strings_field(parameters, "dropped").value_or(std::vector<std::string>{});
  auto addresses = dropped_addresses_field(parameters, dropped.size());
  return upgrade_phase{.phase = std::move(*phase),
                       .elapsed = std::chrono::milliseconds{*elapsed},
                       .duration = duration_field(parameters, "duration_ms"),
                       .pid = int_field(parameters, "pid"),
                       .generation = count_field(parameters, "generation"),
                       .sockets = count_field(parameters, "sockets"),
                       .dropped = std::move(dropped),
                       .dropped_addresses = std::move(addresses)};
}

std::optional<drain_progress> parse_progress(const json::object& parameters) {
  auto phase = string_field(parameters, "phase");
  const auto elapsed = count_field(parameters, "elapsed_ms");
  const auto connections = count_field(parameters, "connections");
  const auto cut = count_field(parameters, "cut");
  if (!phase || !elapsed || !connections || !cut) return std::nullopt;
  return drain_progress{.phase = std::move(*phase),
                        .elapsed = std::chrono::milliseconds{*elapsed},
                        .connections = *connections,
                        .cut = *cut};
}

std::optional<server_metrics> parse_metrics(const json::object& parameters) {
  auto text = string_field(parameters, "text");
  if (!text) return std::nullopt;
  return server_metrics{.text = std::move(*text)};
}

std::optional<bool> parse_drain(const json::object& parameters) {
  return flag_field(parameters, "now");
}

std::optional<std::string> parse_rollback(const json::object& parameters) {
  if (!has_field(parameters, "reason")) return "an operator asked for it";
  return string_field(parameters, "reason");
}

std::optional<server_status> parse_status(const json::object& parameters) {
  const auto name = string_field(parameters, "name");
  const auto generation = count_field(parameters, "generation");
  const auto pid = int_field(parameters, "pid");
  const auto uptime = count_field(parameters, "uptime_ms");
  const auto state = string_field(parameters, "state");
  const auto version = string_field(parameters, "version");
  const auto connections = count_field(parameters, "connections");
  const json::value* listeners = parameters.if_contains("listeners");
  if (!name || !generation || !pid || !uptime || !state || !version || !connections ||
      listeners == nullptr || !listeners->is_array()) {
    return std::nullopt;
  }
  server_status m{.name = *name,
                  .generation = *generation,
                  .pid = *pid,
                  .uptime = std::chrono::milliseconds{*uptime},
                  .state = *state,
                  .version = *version,
                  .connections = *connections,
                  .last_failure = string_field(parameters, "last_failure").value_or("")};
  for (const json::value& value : listeners->get_array()) {
    auto listener = parse_listener(value);
    if (!listener) return std::nullopt;
    m.listeners.push_back(std::move(*listener));
  }
  if (has_field(parameters, "draining")) {
    const json::value& draining = parameters.at("draining");
    if (!draining.is_array()) return std::nullopt;
    for (const json::value& value : draining.get_array()) {
      const auto process = parse_draining(value);
      if (!process) return std::nullopt;
      m.draining.push_back(*process);
    }
  }
  if (has_field(parameters, "successor")) {
    const json::value& successor = parameters.at("successor");
    if (!successor.is_object()) return std::nullopt;
    m.successor_pid = int_field(successor.get_object(), "pid");
    if (!m.successor_pid) return std::nullopt;
  }
  if (has_field(parameters, "dropped")) {
    auto dropped = strings_field(parameters, "dropped");
    if (!dropped) return std::nullopt;
    m.dropped = std::move(*dropped);
    m.dropped_addresses = dropped_addresses_field(parameters, m.dropped.size());
  }
  return m;
}

call to_call(const upgrade_request& m) {
  call c{.method = std::string{upgrade_method}, .parameters = {}, .more = true};
  if (!m.command.empty()) c.parameters["command"] = json::array(m.command.begin(), m.command.end());
  if (!m.directory.empty()) c.parameters["directory"] = m.directory;
  if (!m.environment.empty()) {
    json::object environment;
    for (const auto& [key, value] : m.environment) environment[key] = value;
    c.parameters["environment"] = std::move(environment);
  }
  if (m.timeout) c.parameters["timeout_ms"] = m.timeout->count();
  return c;
}

reply to_reply(const upgrade_phase& m) {
  reply r;
  r.parameters["phase"] = m.phase;
  r.parameters["elapsed_ms"] = m.elapsed.count();
  if (m.duration) r.parameters["duration_ms"] = m.duration->count();
  if (m.pid) r.parameters["pid"] = *m.pid;
  if (m.generation) r.parameters["generation"] = number(*m.generation);
  if (m.sockets) r.parameters["sockets"] = number(*m.sockets);
  put_strings(r.parameters, "dropped", m.dropped);
  put_strings(r.parameters, "dropped_addresses", m.dropped_addresses);
  return r;
}

reply to_reply(const server_status& m) {
  reply r;
  r.parameters["name"] = m.name;
  r.parameters["generation"] = number(m.generation);
  r.parameters["pid"] = m.pid;
  r.parameters["uptime_ms"] = m.uptime.count();
  r.parameters["state"] = m.state;
  r.parameters["version"] = m.version;
  r.parameters["connections"] = number(m.connections);
  json::array listeners;
  listeners.reserve(m.listeners.size());
  for (const listener_status& listener : m.listeners) listeners.push_back(to_object(listener));
  r.parameters["listeners"] = std::move(listeners);
  json::array draining;
  for (const draining_process& process : m.draining) {
    json::object o;
    o["generation"] = number(process.generation);
    o["pid"] = process.pid;
    if (process.connections) o["connections"] = number(*process.connections);
    o["hurried"] = process.hurried;
    draining.push_back(std::move(o));
  }
  r.parameters["draining"] = std::move(draining);
  if (m.successor_pid) {
    json::object successor;
    successor["pid"] = *m.successor_pid;
    r.parameters["successor"] = std::move(successor);
  }
  if (!m.last_failure.empty()) r.parameters["last_failure"] = m.last_failure;
  put_strings(r.parameters, "dropped", m.dropped);
  put_strings(r.parameters, "dropped_addresses", m.dropped_addresses);
  return r;
}

reply to_reply(const drain_progress& m) {
  reply r;
  r.parameters["phase"] = m.phase;
  r.parameters["elapsed_ms"] = m.elapsed.count();
  r.parameters["connections"] = number(m.connections);
  r.parameters["cut"] = number(m.cut);
  return r;
}

std::optional<server_event> parse_event(const json::object& parameters) {
  auto event = string_field(parameters, "event");
  auto message = string_field(parameters, "message");
  const auto generation = count_field(parameters, "generation");
  const auto pid = int_field(parameters, "pid");
  const auto time = count_field(parameters, "time_ms");
  if (!event || !message || !generation || !pid || !time) return std::nullopt;
  return server_event{.event = std::move(*event),
                      .message = std::move(*message),
                      .generation = *generation,
                      .pid = *pid,
                      .time = std::chrono::milliseconds{*time}};
}

reply to_reply(const server_event& m) {
  reply r;
  r.parameters["event"] = m.event;
  r.parameters["message"] = m.message;
  r.parameters["generation"] = number(m.generation);
  r.parameters["pid"] = m.pid;
  r.parameters["time_ms"] = m.time.count();
  return r;
}

reply to_reply(const server_metrics& m) {
  reply r;
  r.parameters["text"] = m.text;
  return r;
}

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
