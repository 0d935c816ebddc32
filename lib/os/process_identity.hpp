// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PROCESS_IDENTITY_HPP
#define GRACEFUL_OS_PROCESS_IDENTITY_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// Identifies a process by more than its number, which another may have by now: proc(5).
struct process_identity {
  pid_t pid;
  std::uint64_t started;  ///< In clock ticks since the system started.
  std::string space;      ///< The PID namespace in which the number counts.

  /// None if there is no such process, or it is a zombie.
  static std::optional<process_identity> of(pid_t pid);

  /// True if the process has certainly ended, even if its number belongs to another process by now.
  /// A zombie has ended.
  [[nodiscard]] bool has_ended() const;

  bool operator==(const process_identity&) const = default;
};

/// True if `pid` is the parent of this process, or of its parent, and so on, as far as is visible.
bool is_ancestor(pid_t pid);

/// True if `of` is the parent of `pid`, or of its parent, and so on.
bool is_descendant(pid_t pid, pid_t of);

/// True if `pid` is a descendant of this process. Without /proc only its children are known.
bool is_below_this(pid_t pid);

/// True if `pid` is a child of this process, even one that has ended and not been reaped.
bool is_child(pid_t pid);

/// The PID namespace in which the numbers of this process count. Empty if unknown.
std::string own_pid_space();

/// The children of this process, zombies included. None if the kernel does not list them.
std::optional<std::vector<pid_t>> own_children();

}  // namespace graceful::os

#endif
