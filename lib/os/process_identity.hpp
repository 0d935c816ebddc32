// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PROCESS_IDENTITY_HPP
#define GRACEFUL_OS_PROCESS_IDENTITY_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// A process by more than its number, which another may have by now: proc(5).
struct process_identity {
  pid_t pid;
  std::uint64_t started;  ///< In clock ticks since the system started.
  std::string space;      ///< The pid namespace in which the number counts.

  /// None if there is no such process, or it is a zombie.
  static std::optional<process_identity> of(pid_t pid);

  /// True if it has ended for sure, also if its number is another process's by now. A zombie has.
  [[nodiscard]] bool has_ended() const;

  bool operator==(const process_identity&) const = default;
};

/// `pid` is the parent of this process, or of its parent, and so on, as far as is visible.
bool is_ancestor(pid_t pid);

/// The same the other way round: `of` is the parent of `pid`, or of its parent, and so on.
bool is_descendant(pid_t pid, pid_t of);

/// It is, of this process. Without a /proc those alone are known that are its children.
bool is_below_this(pid_t pid);

/// A child of this process. Also one that has ended, and has yet to be reaped.
bool is_child(pid_t pid);

/// The PID namespace in which the numbers of this process count. Empty if it cannot be told.
std::string own_pid_space();

/// Those of this process, zombies included. None if the kernel does not list them.
std::optional<std::vector<pid_t>> own_children();

}  // namespace graceful::os

#endif
