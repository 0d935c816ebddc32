// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <optional>

#include <signal.h>
#include <sys/types.h>

namespace graceful::testing {

// Children of this program that an object reaps; the rest of the kit must not. Thread-safe: a child
// belongs to its object before anything can reap it, and until it has been reaped, when its number
// may be reused.

/// fork(2). The child starts with all signals blocked: the test's handlers must not run in it. If
/// children are reaped automatically (SIGCHLD ignored, or SA_NOCLDWAIT, sigaction(2)), that is
/// switched off for the whole program, because their endings would be unknown.
pid_t fork_owned_child();

/// Waits for the end of a child, and reaps it. None if it has been reaped elsewhere.
std::optional<siginfo_t> reap_owned_child(pid_t pid);

/// Reaps a child that has ended. If an object owns the child, only returns how it ended. None if it
/// has not ended, or is not a child.
std::optional<siginfo_t> reap_orphan(pid_t pid);

bool owns_child(pid_t pid);

}  // namespace graceful::testing
