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
  uid_t user = static_cast<uid_t>(-1);  ///< The real one.
  uid_t effective_user = static_cast<uid_t>(-1);
  uid_t saved_user = static_cast<uid_t>(-1);
  std::uint64_t permitted = 0;  ///< Capabilities: capabilities(7).
  /// Its numbers, from this process's PID namespace down to its own: more than one if it lives in
  /// another.
  std::vector<pid_t> numbers{};

  /// Of the process that `pidfd` holds, whose number is `pid`. None once it has been reaped, since
  /// the number may be another's then; nor if there is no /proc of this process's PID namespace, or
  /// it hides that process. `pidfd` -1: of whoever has the number now.
  static std::optional<process_status> of(pid_t pid, int pidfd);
};

/// `pidfd` still holds a process, which may be a zombie; so its number is nobody else's.
bool is_held(int pidfd);

/// What `number` is called here that counts in the PID namespace of `member`. None if there is no
/// such process, or this one cannot see it.
std::optional<pid_t> number_here(pid_t member, pid_t number);

}  // namespace graceful::os

#endif
