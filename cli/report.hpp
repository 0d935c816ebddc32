// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/supervisor_client.hpp>

#include "style.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace graceful::cli {

/// For a draining process that tracks no connections: either none are left, or it never tracked
/// any.
inline constexpr std::string_view tracks_nothing =
    "waiting for what still runs; no connection is tracked";

/// A time that still runs, without insignificant digits: "250 ms", "3 min 20 s", "1 d 2 h".
std::string in_short(std::chrono::milliseconds d);

/// The first column of a line: the elapsed time, padded to the column where all lines go on.
std::string elapsed_column(std::string elapsed);

/// What an upgrade would do, in a few lines; obstacles are not included.
std::string describe(const upgrade_plan& plan);

/// A phase of an upgrade, in one line.
std::string describe(const upgrade_phase& phase, const style& s = {});

/// The progress of a drain, in one line.
std::string describe(const drain_progress& progress, const style& s = {});

/// An event of a server, in one line, with the time of day.
std::string describe(const server_event& event);

/// A server, in a few lines.
std::string describe(const server_status& status);

/// A supervisor, in a few lines.
std::string describe(const supervisor_status& status);

}  // namespace graceful::cli
