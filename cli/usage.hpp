// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

#include "command_table.hpp"

#include <string>

namespace graceful::cli {

/// What is wrong with a command line, and where to read more: about the command, if it is known.
failure usage_error(const std::string& what, const command_row* about = nullptr);

/// Each names what the user may have meant.
failure unknown_command(const std::string& word);
failure unknown_option(const std::string& given, const command_row* about);

/// "upgrade, status, ...".
std::string command_names();

}  // namespace graceful::cli
