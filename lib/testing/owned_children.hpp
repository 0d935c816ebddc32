// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_OWNED_CHILDREN_HPP
#define GRACEFUL_LIB_TESTING_OWNED_CHILDREN_HPP

#include <optional>

#include <signal.h>
#include <sys/types.h>

namespace graceful::testing {

// Children of this program that an object reaps, and nobody else of the kit may. Thread-safe: a
// child belongs to its object before anybody can reap it, and until it has been reaped, when its
// number may be given again.

/// fork(2). The child begins with all signals blocked: handlers of the test are not for it. Where
/// children would be reaped by themselves (SIGCHLD ignored, or SA_NOCLDWAIT, sigaction(2)), that
/// ends here, for the whole program: nobody could tell how they end.
pid_t fork_owned_child();

/// Waits for the end of one, and reaps it. None if somebody else has.
std::optional<siginfo_t> reap_owned_child(pid_t pid);

/// Reaps a child that has ended, unless it belongs to an object: then it tells how that has ended.
/// None if it has not ended, or is no child.
std::optional<siginfo_t> reap_orphan(pid_t pid);

bool owns_child(pid_t pid);

}  // namespace graceful::testing

#endif
