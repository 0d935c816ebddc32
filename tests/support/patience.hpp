// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>

namespace graceful_test {

/// Ends a test that hangs. Nothing takes this long, even if the machine stands still for half a
/// minute.
inline constexpr std::chrono::seconds patience{120};

}  // namespace graceful_test
