// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_AT_START_HPP
#define GRACEFUL_OS_AT_START_HPP

#include "os/start_command.hpp"

#include <array>
#include <string>
#include <vector>

/// What this process began with. It is noted before main(), because the application may change it:
/// it blocks signals for its own threads, for instance, which must not be blocked in a successor;
/// it goes to another directory, or writes a title where its arguments were.
namespace graceful::os {

/// What execve(2) kept of whoever started this process.
const signal_setup& signals_at_start();

/// The working directory, as the kernel knows it; "/" if it had been removed by then.
std::string directory_at_start();

/// What main() got. Empty with a C library that does not pass it to constructors (not glibc).
std::vector<std::string> arguments_at_start();

/// The effective user or group comes from the program's file. So whoever started this process is
/// another user, and its paths and variables are not to be believed.
bool is_set_id();

/// The group, at least. Then the same user may be who started this process, and have less rights.
bool is_set_group_id();

/// A variable of the environment, null if it is not set, or not to be believed. File capabilities
/// set AT_SECURE too, and so does a change of the security context; secure_getenv(3) hides
/// everything then. But the environment is that of the same user, whom the control socket obeys
/// anyway; and what it has this process execute has no capabilities by this one's file: execve(2)
/// gives only those of the other.
const char* trusted_variable(const char* name);

/// All that `trusted_variable` is asked for, and that would be passed on. A set-id program that has
/// changed its real user too has successors for which nothing is set-id any more: they must not
/// find what was not believed.
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

#endif
