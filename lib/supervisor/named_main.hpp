// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_NAMED_MAIN_HPP
#define GRACEFUL_SUPERVISOR_NAMED_MAIN_HPP

#include <graceful/unique_fd.hpp>

#include <optional>

#include <sys/types.h>

namespace graceful {

/// Who says something to the supervisor, as the kernel tells.
struct speaker {
  pid_t pid = 0;  ///< 0: it is not visible from here.
  uid_t user = 0;
  unique_fd pidfd{};  ///< Of the same process; empty on Linux before 6.5.
};

/// A process that is meant.
struct named_process {
  pid_t pid;
  unique_fd pidfd{};  ///< Empty if it has gone, or there are no descriptors.
  bool gone = false;  ///< There is no process of that number (any more).
};

/// Whom `by` means by MAINPID=`number`. That is only a text, and its number counts where `by`
/// lives: so none, unless the kernel shows that this is `by` itself, or a process that can be a
/// server of this supervisor: one below it, or one of the same user as `by`, but none above it.
std::optional<named_process> named_main(const speaker& by, pid_t number);

}  // namespace graceful

#endif
