// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PROGRAM_SEARCH_HPP
#define GRACEFUL_OS_PROGRAM_SEARCH_HPP

#include <graceful/error.hpp>

#include "os/start_command.hpp"

#include <string>
#include <vector>

/// Predicts what execve(2) does with a command, or explains why it has failed.
namespace graceful::os {

/// Where a program is looked for, in this order: in PATH, or at its path.
std::vector<std::string> places_of(const std::string& file);

/// Fails if this set-id program must not execute the command.
result<void> check_allowed(const start_command& command);

/// Fails if the command cannot start in its directory.
result<void> check_directory(const start_command& command);

/// The path of the file that would be executed. Fails as execve(2) would, except for errors that
/// only the kernel can tell: a missing loader, an unknown file format.
result<std::string> find_program(const start_command& command);

/// The failure that says that the command cannot be executed because of this error of execve(2).
failure cannot_execute(const start_command& command, int error);

}  // namespace graceful::os

#endif
