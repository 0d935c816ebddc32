// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "wire/handoff_values.hpp"
#include "wire/members.hpp"

#include <boost/json/array.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// io.graceful.Handoff as JSON.
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
inline constexpr auto members<totals> =
    std::tuple{informative("committed", &totals::committed), informative("failed", &totals::failed),
               informative("rolled_back", &totals::rolled_back), informative("cut", &totals::cut)};

template <>
inline constexpr auto members<begin> =
    std::tuple{required("versions", &begin::versions), optional("token", &begin::token),
               optional("manager", &begin::manager)};

template <>
inline constexpr auto members<begun> = std::tuple{required("version", &begun::version),
                                                  required("generation", &begun::generation),
                                                  required("name", &begun::name),
                                                  required("descriptors", &begun::descriptors),
                                                  informative("totals", &begun::so_far),
                                                  optional("kept", &begun::kept),
                                                  lenient("late_claims", &begun::late_claims)};

template <>
inline constexpr auto members<fetch> = std::tuple{required("first", &fetch::first)};

template <>
inline constexpr auto members<batch> =
    std::tuple{required("first", &batch::first), required("names", &batch::names)};

template <>
inline constexpr auto members<ready> =
    std::tuple{optional("unwanted", &ready::unwanted), lenient("late_claims", &ready::late_claims)};

template <>
inline constexpr auto members<settle> = std::tuple{optional("unwanted", &settle::unwanted)};

template <>
inline constexpr auto members<settled> = std::tuple{required("settled", &settled::settled)};

template <>
inline constexpr auto members<fail> = std::tuple{required("reason", &fail::reason)};

template <>
inline constexpr auto members<report> =
    std::tuple{required("generation", &report::generation), required("pid", &report::pid),
               required("connections", &report::connections), required("cut", &report::cut)};

template <>
inline constexpr auto members<reported> = std::tuple{required("hurry", &reported::hurry)};

template <>
inline constexpr auto members<readied> =
    std::tuple{informative("durations_us", &readied::durations), lenient("asks", &readied::asks)};

template <>
inline constexpr auto method_of<begin> = begin_method;
template <>
inline constexpr auto method_of<fetch> = fetch_method;
template <>
inline constexpr auto method_of<ready> = ready_method;
template <>
inline constexpr auto method_of<settle> = settle_method;
template <>
inline constexpr auto method_of<fail> = fail_method;
template <>
inline constexpr auto method_of<report> = report_method;

/// Nothing depends on the contents: what is missing or wrong is left out.
inline readied parse_readied(const json::object& parameters) {
  return parse<readied>(parameters).value_or(readied{});
}

/// The error for a successor that speaks no version that this build speaks.
inline reply to_incompatible_version(std::string_view message,
                                     const std::vector<std::int64_t>& offered) {
  auto r = to_error(handoff_error(errc::incompatible_version), message);
  r.parameters["offered"] = json::array(offered.begin(), offered.end());
  r.parameters["supported"] = json::array{handoff_version};
  return r;
}

}  // namespace graceful::wire
