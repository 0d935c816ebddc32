// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_COMMANDS_HPP
#define GRACEFUL_CLI_COMMANDS_HPP

#include <graceful/control_client.hpp>

#include "arguments.hpp"

#include <chrono>
#include <string>

namespace graceful::cli {

/// How long a server may take to answer if nothing is said.
inline constexpr std::chrono::milliseconds default_deadline{5'000};

// Each is a command that takes a while, and returns the exit code.

/// `path` is that of the control socket: a successor answers there too.
int upgrade(control_client& client, const std::string& path, const arguments& args);

/// What `upgrade` would do; the exit code says whether something would stop it.
int plan_upgrade(control_client& client, const arguments& args);

/// All servers that can be asked.
int list(const arguments& args);

/// Prints what happens in the server and its successors, until one ends.
int monitor(control_client client, const std::string& path, const arguments& args);

/// Ends the server. It says that it is done when it is about to exit; the control path goes then.
int drain(control_client& client, const arguments& args);

/// Runs a server, until it has ended for good.
int run_server(const arguments& args);

/// What the server says of itself, and its supervisor, if it has one; or one of them alone.
int status(const std::string& path, const arguments& args);

/// Has the supervisor of the server go on in its program as it is by now.
int reexec(const std::string& path, const arguments& args);

}  // namespace graceful::cli

#endif
