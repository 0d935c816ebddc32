// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/process.hpp>

#include "testing/generations.hpp"
#include "testing/timeline.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace graceful::testing {

/// How much of the end of each process's output is reported, from the beginning of a line on.
inline constexpr std::size_t reported_output = 16UL * 1024;

/// How each process ended, the timeline, and the output of each process, with times.
std::string report_of(const std::string& title, const std::vector<generations::member>& processes,
                      const timeline& events, const std::vector<output_piece>& outputs);

}  // namespace graceful::testing
