// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_REPORT_HPP
#define GRACEFUL_CLI_REPORT_HPP

#include <graceful/control_client.hpp>

#include <string>

namespace graceful::cli {

/// A phase of an upgrade, in one line.
std::string describe(const upgrade_phase& phase);

/// How a drain goes on, in one line.
std::string describe(const drain_progress& progress);

/// A server, in a few lines.
std::string describe(const server_status& status);

}  // namespace graceful::cli

#endif
