// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/handoff_messages.hpp"

#include "wire/fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace graceful::wire {

namespace {

/// Statistics must not make an upgrade fail: what is missing or wrong counts as none.
totals parse_totals(const json::object& parameters) {
  const json::value* value = parameters.if_contains("totals");
  if (value == nullptr || !value->is_object()) return {};
  const json::object& o = value->get_object();
  return {.committed = count_field(o, "committed").value_or(0),
          .failed = count_field(o, "failed").value_or(0),
          .rolled_back = count_field(o, "rolled_back").value_or(0),
          .cut = count_field(o, "cut").value_or(0)};
}

json::object to_json(const totals& m) {
  json::object o;
  o["committed"] = number(m.committed);
  o["failed"] = number(m.failed);
  o["rolled_back"] = number(m.rolled_back);
  o["cut"] = number(m.cut);
  return o;
}

}  // namespace

std::optional<begin> parse_begin(const json::object& parameters) {
  const json::value* versions = parameters.if_contains("versions");
  if (versions == nullptr || !versions->is_array()) return std::nullopt;
  begin m;
  for (const json::value& version : versions->get_array()) {
    if (!version.is_int64()) return std::nullopt;
    m.versions.push_back(version.get_int64());
  }
  if (has_field(parameters, "token")) {
    auto token = string_field(parameters, "token");
    if (!token) return std::nullopt;
    m.token = std::move(*token);
  }
  if (has_field(parameters, "manager")) {
    auto manager = string_field(parameters, "manager");
    if (!manager) return std::nullopt;
    m.manager = std::move(*manager);
  }
  return m;
}

std::optional<begun> parse_begun(const json::object& parameters) {
  const auto version = int_field(parameters, "version");
  const auto generation = count_field(parameters, "generation");
  const auto name = string_field(parameters, "name");
  const auto descriptors = count_field(parameters, "descriptors");
  if (!version || !generation || !name || !descriptors) return std::nullopt;
  begun m{*version, *generation, *name, *descriptors, parse_totals(parameters)};
  if (has_field(parameters, "kept")) {
    auto kept = strings_field(parameters, "kept");
    if (!kept) return std::nullopt;
    m.kept = std::move(*kept);
  }
  m.late_claims = bool_field(parameters, "late_claims").value_or(false);
  return m;
}

std::optional<fetch> parse_fetch(const json::object& parameters) {
  const auto first = count_field(parameters, "first");
  if (!first) return std::nullopt;
  return fetch{*first};
}

std::optional<batch> parse_batch(const json::object& parameters) {
  const auto first = count_field(parameters, "first");
  auto names = strings_field(parameters, "names");
  if (!first || !names) return std::nullopt;
  return batch{*first, std::move(*names)};
}

std::optional<ready> parse_ready(const json::object& parameters) {
  ready m;
  m.late_claims = bool_field(parameters, "late_claims").value_or(false);
  if (!has_field(parameters, "unwanted")) return m;
  auto unwanted = strings_field(parameters, "unwanted");
  if (!unwanted) return std::nullopt;
  m.unwanted = std::move(*unwanted);
  return m;
}

std::optional<settle> parse_settle(const json::object& parameters) {
  if (!has_field(parameters, "unwanted")) return settle{};
  auto unwanted = strings_field(parameters, "unwanted");
  if (!unwanted) return std::nullopt;
  return settle{std::move(*unwanted)};
}

std::optional<settled> parse_settled(const json::object& parameters) {
  const auto value = bool_field(parameters, "settled");
  if (!value) return std::nullopt;
  return settled{*value};
}

std::optional<report> parse_report(const json::object& parameters) {
  const auto generation = count_field(parameters, "generation");
  const auto pid = int_field(parameters, "pid");
  const auto connections = count_field(parameters, "connections");
  const auto cut = count_field(parameters, "cut");
  if (!generation || !pid || !connections || !cut) return std::nullopt;
  return report{*generation, *pid, *connections, *cut};
}

std::optional<reported> parse_reported(const json::object& parameters) {
  const auto value = bool_field(parameters, "hurry");
  if (!value) return std::nullopt;
  return reported{*value};
}

std::optional<fail> parse_fail(const json::object& parameters) {
  auto reason = string_field(parameters, "reason");
  if (!reason) return std::nullopt;
  return fail{std::move(*reason)};
}

readied parse_readied(const json::object& parameters) {
  readied m;
  m.asks = bool_field(parameters, "asks").value_or(false);
  const json::value* durations = parameters.if_contains("durations_us");
  if (durations == nullptr || !durations->is_object()) return m;
  for (const auto phase : phases) {
    if (const auto us = count_field(durations->get_object(), phase)) {
      m.durations.emplace(phase, *us);
    }
  }
  return m;
}

call to_call(const begin& m) {
  call c{.method = std::string{begin_method}, .parameters = {}};
  c.parameters["versions"] = json::array(m.versions.begin(), m.versions.end());
  if (!m.token.empty()) c.parameters["token"] = m.token;
  if (!m.manager.empty()) c.parameters["manager"] = m.manager;
  return c;
}

call to_call(const fetch& m) {
  call c{.method = std::string{fetch_method}, .parameters = {}};
  c.parameters["first"] = number(m.first);
  return c;
}

call to_call(const ready& m) {
  call c{.method = std::string{ready_method}, .parameters = {}};
  if (!m.unwanted.empty()) {
    c.parameters["unwanted"] = json::array(m.unwanted.begin(), m.unwanted.end());
  }
  if (m.late_claims) c.parameters["late_claims"] = true;
  return c;
}

call to_call(const settle& m) {
  call c{.method = std::string{settle_method}, .parameters = {}};
  if (m.unwanted) c.parameters["unwanted"] = json::array(m.unwanted->begin(), m.unwanted->end());
  return c;
}

call to_call(const fail& m) {
  call c{.method = std::string{fail_method}, .parameters = {}};
  c.parameters["reason"] = m.reason;
  return c;
}

call to_call(const report& m) {
  call c{.method = std::string{report_method}, .parameters = {}};
  c.parameters["generation"] = number(m.generation);
  c.parameters["pid"] = m.pid;
  c.parameters["connections"] = number(m.connections);
  c.parameters["cut"] = number(m.cut);
  return c;
}

reply to_reply(const reported& m) {
  reply r;
  r.parameters["hurry"] = m.hurry;
  return r;
}

reply to_reply(const begun& m) {
  reply r;
  r.parameters["version"] = m.version;
  r.parameters["generation"] = number(m.generation);
  r.parameters["name"] = m.name;
  r.parameters["descriptors"] = number(m.descriptors);
  r.parameters["totals"] = to_json(m.so_far);
  if (!m.kept.empty()) r.parameters["kept"] = json::array(m.kept.begin(), m.kept.end());
  if (m.late_claims) r.parameters["late_claims"] = true;
  return r;
}

reply to_reply(const batch& m) {
  reply r;
  r.parameters["first"] = number(m.first);
  r.parameters["names"] = json::array(m.names.begin(), m.names.end());
  return r;
}

reply to_reply(const settled& m) {
  reply r;
  r.parameters["settled"] = m.settled;
  return r;
}

reply to_reply(const readied& m) {
  json::object durations;
  for (const auto& [phase, duration] : m.durations) durations[phase] = duration.count();
  reply r;
  r.parameters["durations_us"] = std::move(durations);
  if (m.asks) r.parameters["asks"] = true;
  return r;
}

reply to_incompatible_version(std::string_view message, const std::vector<std::int64_t>& offered) {
  reply r{.parameters = {}, .error = std::string{incompatible_version_error}};
  r.parameters["message"] = message;
  r.parameters["offered"] = json::array(offered.begin(), offered.end());
  r.parameters["supported"] = json::array{handoff_version};
  return r;
}

}  // namespace graceful::wire
