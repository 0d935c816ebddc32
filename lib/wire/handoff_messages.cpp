// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/handoff_messages.hpp"

#include "wire/members.hpp"

#include <boost/json/array.hpp>

#include <chrono>
#include <string>
#include <tuple>

namespace graceful::wire {

/// The known phases; an invalid one is left out.
template <>
struct codec<phase_durations> {
  static bool get(const json::value& from, phase_durations& to) {
    if (!from.is_object()) return false;
    for (const auto phase : upgrade_phases) {
      const json::value* const value = from.get_object().if_contains(phase);
      std::chrono::microseconds duration{};
      if (value == nullptr || !codec<std::chrono::microseconds>::get(*value, duration)) continue;
      to.emplace(phase, duration);
    }
    return true;
  }
  static json::value put(const phase_durations& from) {
    json::object object;
    for (const auto& [phase, duration] : from) object[phase] = duration.count();
    return object;
  }
};

// Statistics must not make an upgrade fail.
template <>
struct members<totals> {
  static constexpr std::tuple table{
      informative("committed", &totals::committed), informative("failed", &totals::failed),
      informative("rolled_back", &totals::rolled_back), informative("cut", &totals::cut)};
};

template <>
struct members<begin> {
  static constexpr std::tuple table{required("versions", &begin::versions),
                                    optional("token", &begin::token),
                                    optional("manager", &begin::manager)};
};

template <>
struct members<begun> {
  static constexpr std::tuple table{required("version", &begun::version),
                                    required("generation", &begun::generation),
                                    required("name", &begun::name),
                                    required("descriptors", &begun::descriptors),
                                    informative("totals", &begun::so_far),
                                    optional("kept", &begun::kept),
                                    lenient("late_claims", &begun::late_claims)};
};

template <>
struct members<fetch> {
  static constexpr std::tuple table{required("first", &fetch::first)};
};

template <>
struct members<batch> {
  static constexpr std::tuple table{required("first", &batch::first),
                                    required("names", &batch::names)};
};

template <>
struct members<ready> {
  static constexpr std::tuple table{optional("unwanted", &ready::unwanted),
                                    lenient("late_claims", &ready::late_claims)};
};

template <>
struct members<settle> {
  static constexpr std::tuple table{optional("unwanted", &settle::unwanted)};
};

template <>
struct members<settled> {
  static constexpr std::tuple table{required("settled", &settled::settled)};
};

template <>
struct members<fail> {
  static constexpr std::tuple table{required("reason", &fail::reason)};
};

template <>
struct members<report> {
  static constexpr std::tuple table{
      required("generation", &report::generation), required("pid", &report::pid),
      required("connections", &report::connections), required("cut", &report::cut)};
};

template <>
struct members<reported> {
  static constexpr std::tuple table{required("hurry", &reported::hurry)};
};

template <>
struct members<readied> {
  static constexpr std::tuple table{informative("durations_us", &readied::durations),
                                    lenient("asks", &readied::asks)};
};

std::optional<begin> parse_begin(const json::object& parameters) {
  return parse<begin>(parameters);
}
std::optional<begun> parse_begun(const json::object& parameters) {
  return parse<begun>(parameters);
}
std::optional<fetch> parse_fetch(const json::object& parameters) {
  return parse<fetch>(parameters);
}
std::optional<batch> parse_batch(const json::object& parameters) {
  return parse<batch>(parameters);
}
std::optional<ready> parse_ready(const json::object& parameters) {
  return parse<ready>(parameters);
}
std::optional<settle> parse_settle(const json::object& parameters) {
  return parse<settle>(parameters);
}
std::optional<settled> parse_settled(const json::object& parameters) {
  return parse<settled>(parameters);
}
std::optional<fail> parse_fail(const json::object& parameters) { return parse<fail>(parameters); }
std::optional<report> parse_report(const json::object& parameters) {
  return parse<report>(parameters);
}
std::optional<reported> parse_reported(const json::object& parameters) {
  return parse<reported>(parameters);
}
readied parse_readied(const json::object& parameters) {
  return parse<readied>(parameters).value_or(readied{});
}

call to_call(const begin& m) { return call_of(begin_method, m); }
call to_call(const fetch& m) { return call_of(fetch_method, m); }
call to_call(const ready& m) { return call_of(ready_method, m); }
call to_call(const settle& m) { return call_of(settle_method, m); }
call to_call(const fail& m) { return call_of(fail_method, m); }
call to_call(const report& m) { return call_of(report_method, m); }
reply to_reply(const begun& m) { return reply_of(m); }
reply to_reply(const batch& m) { return reply_of(m); }
reply to_reply(const settled& m) { return reply_of(m); }
reply to_reply(const reported& m) { return reply_of(m); }
reply to_reply(const readied& m) { return reply_of(m); }

reply to_incompatible_version(std::string_view message, const std::vector<std::int64_t>& offered) {
  reply r{.parameters = {}, .error = std::string{handoff_error(errc::incompatible_version)}};
  r.parameters["message"] = message;
  r.parameters["offered"] = json::array(offered.begin(), offered.end());
  r.parameters["supported"] = json::array{handoff_version};
  return r;
}

}  // namespace graceful::wire
