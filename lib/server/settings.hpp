// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVER_SETTINGS_HPP
#define GRACEFUL_SERVER_SETTINGS_HPP

#include <graceful/error.hpp>
#include <graceful/options.hpp>

#include "os/start_command.hpp"

/// What the options of a server result in.
namespace graceful {

/// The command that starts a successor, unless an operator asks for something else.
result<os::start_command> start_command_of(const options& opts);

/// Limits durations: none is negative, and each can be added to a time without an overflow.
options bounded(options opts);

}  // namespace graceful

#endif
