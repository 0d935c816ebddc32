// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_CONTROL_MESSAGES_HPP
#define GRACEFUL_WIRE_CONTROL_MESSAGES_HPP

#include <graceful/control_client.hpp>

#include "os/error_table.hpp"
#include "wire/varlink.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

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

inline constexpr auto busy_error = find_error(errc::busy) -> control;
inline constexpr auto not_ready_error = find_error(errc::not_ready) -> control;
inline constexpr auto upgrade_failed_error = find_error(errc::upgrade_failed) -> control;
inline constexpr auto no_upgrade_error = find_error(errc::no_upgrade) -> control;

/// True if a call changes something. A caller that gives up no longer wants it carried out.
constexpr bool is_order(std::string_view method) {
  return method == upgrade_method || method == abort_method || method == commit_method ||
         method == rollback_method || method == drain_method;
}

/// The longest time that an upgrade may be given.
inline constexpr std::chrono::hours max_timeout{24};

std::optional<upgrade_request> parse_upgrade(const json::object& parameters);
std::optional<upgrade_plan> parse_plan(const json::object& parameters);
std::optional<upgrade_phase> parse_phase(const json::object& parameters);
std::optional<server_status> parse_status(const json::object& parameters);
std::optional<drain_progress> parse_progress(const json::object& parameters);
std::optional<server_event> parse_event(const json::object& parameters);
std::optional<server_metrics> parse_metrics(const json::object& parameters);

/// Whether a Drain ends everything at once; none if the parameter has a wrong type.
std::optional<bool> parse_drain(const json::object& parameters);

/// The reason for a Rollback; none if the parameter has a wrong type.
std::optional<std::string> parse_rollback(const json::object& parameters);

call to_call(const upgrade_request& m);
call to_plan_call(const upgrade_request& m);  ///< Asks what an upgrade would do.
reply to_reply(const upgrade_plan& m);
reply to_reply(const upgrade_phase& m);
reply to_reply(const server_status& m);
reply to_reply(const drain_progress& m);
reply to_reply(const server_event& m);
reply to_reply(const server_metrics& m);

/// An error reply with a sentence for a person, which all our errors carry.
reply to_error(std::string_view error, std::string_view message);

/// `ends`: the server ends too.
reply to_upgrade_failed(std::string_view message, bool ends);

}  // namespace graceful::wire

#endif
