// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "os/error_table.hpp"
#include "wire/members.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

/// What operators and servers send to each other: io.graceful.Control as values. The values are
/// those of the public `control_client`; `json` members are not part of a message.
namespace graceful::wire {

inline constexpr std::string_view status_method = "io.graceful.Control.Status";
inline constexpr std::string_view upgrade_method = "io.graceful.Control.Upgrade";
inline constexpr std::string_view plan_method = "io.graceful.Control.Plan";
inline constexpr std::string_view drain_method = "io.graceful.Control.Drain";
inline constexpr std::string_view commit_method = "io.graceful.Control.Commit";
inline constexpr std::string_view rollback_method = "io.graceful.Control.Rollback";
inline constexpr std::string_view abort_method = "io.graceful.Control.Abort";
inline constexpr std::string_view monitor_method = "io.graceful.Control.Monitor";
inline constexpr std::string_view metrics_method = "io.graceful.Control.Metrics";
inline constexpr std::string_view watch_method = "io.graceful.Control.Watch";

inline constexpr auto busy_error = entry_of(errc::busy).control;
inline constexpr auto not_ready_error = entry_of(errc::not_ready).control;
inline constexpr auto upgrade_failed_error = entry_of(errc::upgrade_failed).control;
inline constexpr auto no_upgrade_error = entry_of(errc::no_upgrade).control;

/// True if a call changes something. A caller that gives up no longer wants it carried out.
constexpr bool is_order(std::string_view method) {
  return method == upgrade_method || method == abort_method || method == commit_method ||
         method == rollback_method || method == drain_method;
}

/// The longest time that an upgrade may be given.
inline constexpr std::chrono::hours max_timeout{24};

template <>
inline constexpr auto members<listener_status> = std::tuple{
    required("name", &listener_status::name), required("address", &listener_status::address),
    required("queue", &listener_status::queue), required("backlog", &listener_status::backlog)};

template <>
inline constexpr auto members<draining_process> = std::tuple{
    required("generation", &draining_process::generation), required("pid", &draining_process::pid),
    lenient("connections", &draining_process::connections),
    required("hurried", &draining_process::hurried)};

template <>
inline constexpr auto members<server_status> =
    std::tuple{required("name", &server_status::name),
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

template <>
inline constexpr auto members<upgrade_request> =
    std::tuple{optional("command", &upgrade_request::command),
               optional("directory", &upgrade_request::directory),
               optional("environment", &upgrade_request::environment),
               optional("timeout_ms", &upgrade_request::timeout)};

template <>
inline constexpr auto members<upgrade_obstacle> = std::tuple{
    required("kind", &upgrade_obstacle::kind), required("message", &upgrade_obstacle::message)};

template <>
inline constexpr auto members<upgrade_plan> =
    std::tuple{required("program", &upgrade_plan::program),
               required("arguments", &upgrade_plan::arguments),
               required("directory", &upgrade_plan::directory),
               required("environment", &upgrade_plan::environment),
               required("generation", &upgrade_plan::generation),
               required("timeout_ms", &upgrade_plan::timeout),
               required("probation_ms", &upgrade_plan::probation),
               required("listeners", &upgrade_plan::listeners),
               required("obstacles", &upgrade_plan::obstacles)};

template <>
inline constexpr auto members<upgrade_phase> =
    std::tuple{required("phase", &upgrade_phase::phase),
               required("elapsed_ms", &upgrade_phase::elapsed),
               lenient("duration_ms", &upgrade_phase::duration),
               lenient("pid", &upgrade_phase::pid),
               lenient("generation", &upgrade_phase::generation),
               lenient("sockets", &upgrade_phase::sockets),
               lenient("dropped", &upgrade_phase::dropped),
               lenient("dropped_addresses", &upgrade_phase::dropped_addresses)};

template <>
inline constexpr auto members<drain_progress> = std::tuple{
    required("phase", &drain_progress::phase), required("elapsed_ms", &drain_progress::elapsed),
    required("connections", &drain_progress::connections), required("cut", &drain_progress::cut)};

template <>
inline constexpr auto members<server_event> =
    std::tuple{required("event", &server_event::event), required("message", &server_event::message),
               required("generation", &server_event::generation),
               required("pid", &server_event::pid), required("time_ms", &server_event::time)};

template <>
inline constexpr auto members<server_metrics> = std::tuple{required("text", &server_metrics::text)};

/// `parse` and `to_reply`, for messages that are more than their members.
std::optional<upgrade_request> parse_upgrade(const json::object& parameters);
std::optional<upgrade_phase> parse_phase(const json::object& parameters);
std::optional<server_status> parse_status(const json::object& parameters);
reply to_reply(const server_status& m);
call to_call(const upgrade_request& m);

/// Whether a Drain ends everything at once; none if the parameter has a wrong type.
std::optional<bool> parse_drain(const json::object& parameters);

/// The reason for a Rollback; none if the parameter has a wrong type.
std::optional<std::string> parse_rollback(const json::object& parameters);

/// `ends`: the server ends too.
reply to_upgrade_failed(std::string_view message, bool ends);

}  // namespace graceful::wire
