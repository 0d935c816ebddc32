// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_HELP_HPP
#define GRACEFUL_CLI_HELP_HPP

#include "command_table.hpp"

#include <string>

namespace graceful::cli {

/// What --help prints: the commands, and what holds for all.
std::string help();

/// What COMMAND --help prints.
std::string help(command about);

}  // namespace graceful::cli

#endif
