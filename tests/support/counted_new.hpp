// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cstddef>

namespace graceful_test {

/// How often this program has called operator new, on any thread. Link counted_new.cpp into the
/// program.
std::size_t allocations();

}  // namespace graceful_test
