// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

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
  static std::optional<process_identity> of_this_process();

  /// True if the process has certainly ended, even if its number belongs to another process by now.
  /// A zombie has ended.
  [[nodiscard]] bool has_ended() const;

  bool operator==(const process_identity&) const = default;
};

/// What the kernel shows of a process: proc(5), /proc/PID/status.
struct process_status {
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
