// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "command_table.hpp"

#include <string>

namespace graceful::cli {

/// The output of --help: the commands, and what applies to all of them.
std::string help();

/// The output of COMMAND --help.
std::string help(command about);

}  // namespace graceful::cli
