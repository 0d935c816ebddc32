// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PROGRAM_SEARCH_HPP
#define GRACEFUL_OS_PROGRAM_SEARCH_HPP

#include <graceful/error.hpp>

#include "os/start_command.hpp"

#include <string>
#include <vector>

/// What execve(2) would make of a command: looked at beforehand, or to say why it has failed.
namespace graceful::os {

/// Where a program is looked for, in this order: in PATH, or at its path.
std::vector<std::string> places_of(const std::string& file);

/// Fails if this set-id program is not to execute that.
result<void> check_allowed(const start_command& command);

/// Fails if the command cannot start in its directory.
result<void> check_directory(const start_command& command);

/// The path of what would be executed. The failure says what execve(2) would, but for what only the
/// kernel can tell: a loader that is missing, a file of another format.
result<std::string> find_program(const start_command& command);

/// That the command cannot be executed for this error of execve(2).
failure cannot_execute(const start_command& command, int error);

}  // namespace graceful::os

#endif
