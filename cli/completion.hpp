// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <string>

namespace graceful::cli {

// The script from which a shell completes the words of a graceful-ctl command line: commands, their
// options, the values of these, and the running servers.
std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace graceful::cli
