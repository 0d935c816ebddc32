// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>

#include "arguments.hpp"

#include <chrono>
#include <string>

namespace graceful::cli {

/// How long a server may take to answer by default.
inline constexpr std::chrono::milliseconds default_deadline{5'000};

// Each runs a command that takes a while, and returns the exit code.

/// `path` is the control path: a successor answers there too.
int upgrade(control_client& client, const std::string& path, const arguments& args);

/// Prints what `upgrade` would do; the exit code says whether something would prevent it.
int plan_upgrade(control_client& client, const arguments& args);

/// Lists all servers that can be asked.
int list(const arguments& args);

/// Prints what happens in the server and its successors, until one of them ends.
int monitor(control_client client, const std::string& path, const arguments& args);

/// Ends the server. The server reports that it is done just before it exits; the control path
/// disappears then.
int drain(control_client& client, const arguments& args);

/// Runs a server until it has ended for good.
int run_server(const arguments& args);

/// Prints the status of the server and of its supervisor, if it has one; or of one of them.
int status(const std::string& path, const arguments& args);

/// Makes the server's supervisor execute the current file of its program.
int reexec(const std::string& path, const arguments& args);

}  // namespace graceful::cli
