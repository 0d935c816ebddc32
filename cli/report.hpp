// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_REPORT_HPP
#define GRACEFUL_CLI_REPORT_HPP

#include <graceful/control_client.hpp>
#include <graceful/supervisor_client.hpp>

#include "style.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace graceful::cli {

/// What is known of a process that drains, and tracks no connection: it has none left, or never
/// tracked any.
inline constexpr std::string_view tracks_nothing =
    "waiting for what still runs; no connection is tracked";

/// A time that goes on, without what nobody reads of a long one: "250 ms", "3 min 20 s", "1 d 2 h".
std::string in_short(std::chrono::milliseconds d);

/// What a line begins with: how long it has taken, and blanks up to where all lines go on.
std::string elapsed_column(std::string elapsed);

/// What an upgrade would do, in a few lines; what would keep it from that is not among them.
std::string describe(const upgrade_plan& plan);

/// A phase of an upgrade, in one line.
std::string describe(const upgrade_phase& phase, const style& s = {});

/// How a drain goes on, in one line.
std::string describe(const drain_progress& progress, const style& s = {});

/// What has happened in a server, in one line, with the time of day.
std::string describe(const server_event& event);

/// A server, in a few lines.
std::string describe(const server_status& status);

/// A supervisor, in a few lines.
std::string describe(const supervisor_status& status);

}  // namespace graceful::cli

#endif
