// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_OWNED_CHILDREN_HPP
#define GRACEFUL_LIB_TESTING_OWNED_CHILDREN_HPP

#include <sys/types.h>

namespace graceful::testing {

// Children of this program that an object reaps, and nobody else may. Thread-safe.
void own_child(pid_t pid);
void disown_child(pid_t pid);
bool owns_child(pid_t pid);

}  // namespace graceful::testing

#endif
