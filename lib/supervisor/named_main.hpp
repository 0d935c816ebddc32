// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_NAMED_MAIN_HPP
#define GRACEFUL_SUPERVISOR_NAMED_MAIN_HPP

#include <graceful/unique_fd.hpp>

#include <optional>

#include <sys/types.h>

namespace graceful {

/// The process that sent a message to the supervisor, according to the kernel.
struct speaker {
  pid_t pid = 0;  ///< 0: it is not visible from here.
  uid_t user = 0;
  unique_fd pidfd{};  ///< Of the same process; empty before Linux 6.5.
};

/// A process that a message names.
struct named_process {
  pid_t pid;
  unique_fd pidfd{};  ///< Empty if it has gone, or no pidfd can be had.
  bool gone = false;  ///< There is no process with that number (any more).
};

/// The process that `by` means by MAINPID=`number`. The number is only text, and counts in the PID
/// namespace of `by`. None, unless the kernel shows that it is `by` itself, or a process that can
/// be a server of this supervisor: one below it, or one of the same user as `by` but not above it.
std::optional<named_process> named_main(const speaker& by, pid_t number);

}  // namespace graceful

#endif
