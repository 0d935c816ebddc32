// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_SUPPORT_COUNTED_NEW_HPP
#define GRACEFUL_TESTS_SUPPORT_COUNTED_NEW_HPP

#include <cstddef>

namespace graceful_test {

/// How often this program has called operator new, on any thread. Link counted_new.cpp into the
/// program.
std::size_t allocations();

}  // namespace graceful_test

#endif
