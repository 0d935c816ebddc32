// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_CONTROL_PATH_OF_HPP
#define GRACEFUL_CONTROL_CONTROL_PATH_OF_HPP

#include <graceful/error.hpp>
#include <graceful/options.hpp>

#include <string>

namespace graceful {

/// The absolute path of a server's control socket. Makes the default directory if the path is in
/// it.
result<std::string> control_path_of(const options& opts);

}  // namespace graceful

#endif
