// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_SUPPORT_PATIENCE_HPP
#define GRACEFUL_TESTS_SUPPORT_PATIENCE_HPP

#include <chrono>

namespace graceful_test {

/// Ends a test that hangs; nothing should take this long.
inline constexpr std::chrono::seconds patience{30};

}  // namespace graceful_test

#endif
