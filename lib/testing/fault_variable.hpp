// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/fault.hpp>

#include <string>
#include <utility>

namespace graceful::testing {

/// The environment variable, with its value, for a process that is to be started and struck by
/// `what`. Throws `std::invalid_argument` if there is no such kind of call, or for a count of 0.
std::pair<std::string, std::string> variable_for(const fault& what);

}  // namespace graceful::testing
