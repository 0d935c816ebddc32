// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "os/start_command.hpp"

#include <array>
#include <string>
#include <vector>

/// What this process started with. It is noted before main(), because the application may change
/// it: it blocks signals for its own threads, for instance, which must not be blocked in a
/// successor; it changes the directory, or writes a title over its arguments.
namespace graceful::os {

/// What execve(2) kept from the process that executed this one.
const signal_setup& signals_at_start();

/// The working directory, as the kernel knows it; "/" if it had already been removed.
std::string directory_at_start();

/// The arguments of main(). Empty with a C library that does not pass them to constructors (not
/// glibc).
std::vector<std::string> arguments_at_start();

/// The effective user or group comes from the program's file. The user who started this process is
/// then another one, and its paths and variables must not be trusted.
bool is_set_id();

/// At least the effective group comes from the program's file. The process may then have been
/// started by the same user, with fewer rights.
bool is_set_group_id();

/// An environment variable; `otherwise` if it is not set or not trusted. File capabilities and a
/// change of the security context set AT_SECURE too, and secure_getenv(3) then hides everything.
/// But that environment belongs to the same user, whom the control socket obeys anyway; and
/// programs that this process executes get no capabilities from this program's file: execve(2)
/// grants only those of their own.
std::string trusted_variable(const char* name, const char* otherwise = "");

/// All variables that `trusted_variable` is asked for and that would be passed on. For the
/// successors of a set-id program that has also changed its real user, nothing is set-id any more:
/// they must not find what was not trusted.
inline constexpr std::array passed_on_variables{"FDSTORE",
                                                "GRACEFUL_SUPERVISOR",
                                                "GRACEFUL_SUPERVISOR_PROCESS",
                                                "INVOCATION_ID",
                                                "JOURNAL_STREAM",
                                                "MANAGERPID",
                                                "NOTIFY_SOCKET",
                                                "PATH",
                                                "SYSTEMD_EXEC_PID",
                                                "WATCHDOG_USEC",
                                                "XDG_RUNTIME_DIR"};

}  // namespace graceful::os
