// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PROCESS_STATUS_HPP
#define GRACEFUL_OS_PROCESS_STATUS_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// What the kernel shows of a process: proc(5), /proc/PID/status.
struct process_status {
  pid_t parent = 0;
  uid_t user = static_cast<uid_t>(-1);  ///< The real user.
  uid_t effective_user = static_cast<uid_t>(-1);
  uid_t saved_user = static_cast<uid_t>(-1);
  std::uint64_t permitted = 0;  ///< Capabilities: capabilities(7).
  /// Its numbers, from this process's PID namespace down to its own: more than one if it lives in
  /// another.
  std::vector<pid_t> numbers{};

  /// The status of the process that `pidfd` refers to and whose number is `pid`. None once it has
  /// been reaped, since the number may then be another process's; nor without a /proc of this
  /// process's PID namespace, or if that hides the process. `pidfd` -1: the process that has the
  /// number now.
  static std::optional<process_status> of(pid_t pid, int pidfd);
};

/// True if `pidfd` still refers to a process, which may be a zombie. Its number is then no other
/// process's.
bool is_held(int pidfd);

/// Translates `number`, which counts in the PID namespace of `member`, to this process's namespace.
/// None if there is no such process, or this one cannot see it.
std::optional<pid_t> number_here(pid_t member, pid_t number);

}  // namespace graceful::os

#endif
