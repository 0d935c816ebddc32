// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/supervisor_messages.hpp"

#include "wire/fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <utility>

namespace graceful::wire {

namespace {

std::optional<kept_socket> parse_kept(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  auto name = string_field(value.get_object(), "name");
  auto address = string_field(value.get_object(), "address");
  if (!name || !address) return std::nullopt;
  return kept_socket{std::move(*name), std::move(*address)};
}

}  // namespace

std::optional<supervisor_status> parse_supervisor_status(const json::object& parameters) {
  const auto pid = int_field(parameters, "pid");
  const auto uptime = count_field(parameters, "uptime_ms");
  const auto state = string_field(parameters, "state");
  const auto version = string_field(parameters, "version");
  const auto restarts = count_field(parameters, "restarts");
  const auto failures = count_field(parameters, "failures");
  const auto limit = count_field(parameters, "failure_limit");
  const json::value* kept = parameters.if_contains("kept");
  if (!pid || !uptime || !state || !version || !restarts || !failures || !limit ||
      kept == nullptr || !kept->is_array()) {
    return std::nullopt;
  }
  supervisor_status m{.pid = *pid,
                      .uptime = std::chrono::milliseconds{*uptime},
                      .state = *state,
                      .version = *version,
                      .main_pid = int_field(parameters, "main"),
                      .said = string_field(parameters, "said").value_or(""),
                      .restarts = *restarts,
                      .failures = *failures,
                      .failure_limit = *limit,
                      .last_failure = string_field(parameters, "last_failure").value_or("")};
  if (const auto wait = count_field(parameters, "wait_ms")) {
    m.wait = std::chrono::milliseconds{*wait};
  }
  for (const json::value& value : kept->get_array()) {
    auto socket = parse_kept(value);
    if (!socket) return std::nullopt;
    m.kept.push_back(std::move(*socket));
  }
  return m;
}

reply to_reply(const supervisor_status& m) {
  reply r;
  r.parameters["pid"] = m.pid;
  r.parameters["uptime_ms"] = m.uptime.count();
  r.parameters["state"] = m.state;
  r.parameters["version"] = m.version;
  if (m.main_pid) r.parameters["main"] = *m.main_pid;
  if (!m.said.empty()) r.parameters["said"] = m.said;
  r.parameters["restarts"] = number(m.restarts);
  r.parameters["failures"] = number(m.failures);
  r.parameters["failure_limit"] = number(m.failure_limit);
  if (!m.last_failure.empty()) r.parameters["last_failure"] = m.last_failure;
  if (m.wait) r.parameters["wait_ms"] = m.wait->count();
  json::array kept;
  for (const kept_socket& socket : m.kept) {
    json::object o;
    o["name"] = socket.name;
    o["address"] = socket.address;
    kept.push_back(std::move(o));
  }
  r.parameters["kept"] = std::move(kept);
  return r;
}

reply to_release_reply(bool released) {
  reply r;
  r.parameters["released"] = released;
  return r;
}

bool parse_release_reply(const json::object& parameters) {
  return bool_field(parameters, "released").value_or(false);
}

}  // namespace graceful::wire
