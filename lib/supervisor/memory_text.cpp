// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/memory_text.hpp"

#include "wire/fields.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace graceful::supervision {

namespace {

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, phase>, 5> phases{{
    {"starting", phase::starting},
    {"serving", phase::serving},
    {"waiting", phase::waiting},
    {"ending", phase::ending},
    {"over", phase::over},
}};

std::int64_t ticks(time t) { return std::chrono::nanoseconds{t.time_since_epoch()}.count(); }

time from_ticks(std::int64_t count) { return time{std::chrono::nanoseconds{count}}; }

std::optional<pid_t> pid_field(const json::object& o, std::string_view key) {
  const auto pid = wire::int_field(o, key);
  if (!pid || *pid <= 0) return {};
  return static_cast<pid_t>(*pid);
}

unsigned small_field(const json::object& o, std::string_view key) {
  return static_cast<unsigned>(wire::count_field(o, key).value_or(0));
}

}  // namespace

std::string_view to_string(phase p) {
  for (const auto& [name, value] : phases) {
    if (value == p) return name;
  }
  return "starting";
}

json::object to_json(const memory& m) {
  json::object o{{"phase", to_string(m.now)},
                 {"formers", json::array(m.formers.begin(), m.formers.end())},
                 {"ever_started", m.ever_started},
                 {"spoke", m.spoke},
                 {"ready", m.ready},
                 {"overdue", m.overdue},
                 {"stopping", m.stopping},
                 {"begun", ticks(m.begun)},
                 {"status", m.status},
                 {"last_end", m.last_end},
                 {"last_code", m.last_code},
                 {"failures", m.failures},
                 {"restarts", m.restarts},
                 {"told", m.told}};
  if (m.main) o["main"] = *m.main;
  if (m.speaker) o["speaker"] = *m.speaker;
  if (m.due) o["due"] = ticks(*m.due);
  return o;
}

memory memory_from(const json::object& o) {
  memory m;
  const auto now = wire::string_field(o, "phase").value_or("");
  for (const auto& [name, value] : phases) {
    if (name == now) m.now = value;
  }
  m.main = pid_field(o, "main");
  m.speaker = pid_field(o, "speaker");
  if (const json::value* formers = o.if_contains("formers"); formers && formers->is_array()) {
    for (const json::value& value : formers->get_array()) {
      if (value.is_int64()) m.formers.insert(static_cast<pid_t>(value.get_int64()));
    }
  }
  m.ever_started = wire::bool_field(o, "ever_started").value_or(false);
  m.spoke = wire::bool_field(o, "spoke").value_or(false);
  m.ready = wire::bool_field(o, "ready").value_or(false);
  m.overdue = wire::bool_field(o, "overdue").value_or(false);
  m.stopping = wire::bool_field(o, "stopping").value_or(false);
  if (const auto due = wire::int_field(o, "due")) m.due = from_ticks(*due);
  m.begun = from_ticks(wire::int_field(o, "begun").value_or(0));
  m.status = wire::string_field(o, "status").value_or("");
  m.last_end = wire::string_field(o, "last_end").value_or("");
  m.last_code = static_cast<int>(wire::int_field(o, "last_code").value_or(0));
  m.failures = small_field(o, "failures");
  m.restarts = small_field(o, "restarts");
  m.told = small_field(o, "told");
  return m;
}

}  // namespace graceful::supervision
