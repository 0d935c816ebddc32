// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>
#include <vector>

#include <sys/types.h>

namespace graceful_existing {

/// The share of one core, in percent, that these processes together use during the next `window`.
double percent_of_a_core(const std::vector<pid_t>& processes, std::chrono::milliseconds window);

}  // namespace graceful_existing
