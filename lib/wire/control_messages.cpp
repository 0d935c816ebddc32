// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/control_messages.hpp"

#include "wire/fields.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace graceful::wire {

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

std::optional<bool> parse_drain(const json::object& parameters) {
  return flag_field(parameters, "now");
}

std::optional<std::string> parse_rollback(const json::object& parameters) {
  if (!has_field(parameters, "reason")) return "an operator asked for it";
  return string_field(parameters, "reason");
}

call to_call(const upgrade_request& m) {
  auto c = to_call(m, upgrade_method);
  c.more = true;
  return c;
}

reply to_reply(const server_status& m) {
  auto r = to_reply<>(m);
  if (m.successor_pid) r.parameters["successor"] = json::object{{"pid", *m.successor_pid}};
  return r;
}

reply to_upgrade_failed(std::string_view message, bool ends) {
  auto r = to_error(upgrade_failed_error, message);
  if (ends) r.parameters["ends"] = true;
  return r;
}

}  // namespace graceful::wire
