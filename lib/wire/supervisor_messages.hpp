// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/supervisor_client.hpp>

#include "os/error_table.hpp"
#include "wire/members.hpp"

#include <string_view>
#include <tuple>

/// io.graceful.Supervisor as values: those of the public `supervisor_client`; `json` is not part of
/// a message.
namespace graceful::wire {

inline constexpr std::string_view supervisor_status_method = "io.graceful.Supervisor.Status";
inline constexpr std::string_view release_method = "io.graceful.Supervisor.Release";
inline constexpr std::string_view reexec_method = "io.graceful.Supervisor.Reexec";
inline constexpr auto reexec_failed_error = entry_of(errc::upgrade_failed).supervisor;

template <>
inline constexpr auto members<kept_socket> =
    std::tuple{required("name", &kept_socket::name), required("address", &kept_socket::address)};

template <>
inline constexpr auto members<supervisor_status> =
    std::tuple{required("pid", &supervisor_status::pid),
               required("uptime_ms", &supervisor_status::uptime),
               required("state", &supervisor_status::state),
               required("version", &supervisor_status::version),
               lenient("main", &supervisor_status::main_pid),
               lenient("said", &supervisor_status::said),
               required("restarts", &supervisor_status::restarts),
               required("failures", &supervisor_status::failures),
               required("failure_limit", &supervisor_status::failure_limit),
               lenient("last_failure", &supervisor_status::last_failure),
               lenient("wait_ms", &supervisor_status::wait),
               required("kept", &supervisor_status::kept)};

/// The answer to Release. False also if the reply does not say.
struct release_reply {
  bool released = false;
};

template <>
inline constexpr auto members<release_reply> =
    std::tuple{informative("released", &release_reply::released)};

}  // namespace graceful::wire
