// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_WIRE_SUPERVISOR_MESSAGES_HPP
#define GRACEFUL_WIRE_SUPERVISOR_MESSAGES_HPP

#include <graceful/supervisor_client.hpp>

#include "os/error_table.hpp"
#include "wire/varlink.hpp"

#include <optional>
#include <string_view>

/// io.graceful.Supervisor as values: those of the public `supervisor_client`; `json` is not part of
/// a message.
namespace graceful::wire {

inline constexpr std::string_view supervisor_status_method = "io.graceful.Supervisor.Status";
inline constexpr std::string_view release_method = "io.graceful.Supervisor.Release";
inline constexpr std::string_view reexec_method = "io.graceful.Supervisor.Reexec";
inline constexpr auto reexec_failed_error = find_error(errc::upgrade_failed) -> supervisor;

std::optional<supervisor_status> parse_supervisor_status(const json::object& parameters);
reply to_reply(const supervisor_status& m);

/// The answer to Release.
reply to_release_reply(bool released);
/// False also if the reply does not say.
bool parse_release_reply(const json::object& parameters);

}  // namespace graceful::wire

#endif
