// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

/// The process's directory in proc(5).
std::string directory_of(pid_t pid);

struct process_entry {
  pid_t pid;
  pid_t parent;
  char state;  ///< As in proc(5): 'Z' is a zombie, or a process of which only the first thread has
               ///< ended.
  unsigned long start_time;  ///< proc_pid_stat(5), field 22: no other process with this pid has the
                             ///< same.
};

// The functions that read /proc throw `std::system_error` if there is no free descriptor or memory:
// a process that was not looked at must not count as gone.

/// All processes.
std::vector<process_entry> process_table();

/// None if there is no such process.
std::optional<process_entry> process_entry_of(pid_t pid);

/// The environment with which `pid` was started. Empty for a zombie, from early in a process's exit
/// on, and if it cannot be read. A process that is executing a program has none until it is set up;
/// the function waits for that.
std::string environment_of(pid_t pid);

/// True if the process is exiting with all its threads, is a zombie, or has gone.
bool is_exiting(pid_t pid);

/// A pidfd: readable once the process has ended and all its descriptors are closed. Empty, with
/// errno, if the process has gone (ESRCH), or if no descriptor is free.
graceful::unique_fd open_pidfd(pid_t pid);

/// False if the process has ended.
bool send_signal(const graceful::unique_fd& pidfd, int signal);

}  // namespace graceful::testing
