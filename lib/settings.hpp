// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_SETTINGS_HPP
#define GRACEFUL_LIB_SETTINGS_HPP

#include <graceful/error.hpp>
#include <graceful/options.hpp>

#include "os/start_command.hpp"

#include <string>

/// What the options of a server come to.
namespace graceful {

/// The absolute path of the control socket; makes the default directory if that is used.
result<std::string> control_path_of(const options& opts);

/// How a successor is started, unless an operator asks for something else.
result<os::start_command> start_command_of(const options& opts);

/// With durations that are not negative, and can be added to a time without an overflow.
options bounded(options opts);

}  // namespace graceful

#endif
