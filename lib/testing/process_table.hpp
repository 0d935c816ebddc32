// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_PROCESS_TABLE_HPP
#define GRACEFUL_LIB_TESTING_PROCESS_TABLE_HPP

#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

/// Where proc(5) has it.
std::string directory_of(pid_t pid);

struct process_entry {
  pid_t pid;
  pid_t parent;
  char state;  ///< As in proc(5): 'Z' is a zombie, or one whose first thread only has ended.
  unsigned long start_time;  ///< proc_pid_stat(5), field 22: no other of this pid has the same.
};

// Those that look into /proc throw `std::system_error` where no descriptor or memory is free for
// it: what has not been seen is not to pass for gone.

/// All processes.
std::vector<process_entry> process_table();

/// None if there is no such process.
std::optional<process_entry> process_entry_of(pid_t pid);

/// What `pid` was started with. Empty for a zombie, from early in a process's exit on, and where it
/// is not to be read; one that executes a program has none either until that is set up, which is
/// waited for.
std::string environment_of(pid_t pid);

/// Is it on its way out, with all its threads? Also of a zombie, and of one that has gone.
bool is_exiting(pid_t pid);

/// A pidfd: readable once the process has ended, all its descriptors closed. Empty, with errno, if
/// it is gone (ESRCH), or if no descriptor is free.
graceful::unique_fd open_pidfd(pid_t pid);

/// False if the process has ended.
bool send_signal(const graceful::unique_fd& pidfd, int signal);

}  // namespace graceful::testing

#endif
