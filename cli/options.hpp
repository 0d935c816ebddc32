// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_OPTIONS_HPP
#define GRACEFUL_CLI_OPTIONS_HPP

#include <string>

namespace boost::program_options {
class options_description;
}

namespace graceful::cli {

/// All that can be given, with what --help says of it.
boost::program_options::options_description options();

/// What --help prints.
std::string help();

}  // namespace graceful::cli

#endif
