// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_PROCESS_TABLE_HPP
#define GRACEFUL_LIB_TESTING_PROCESS_TABLE_HPP

#include <graceful/unique_fd.hpp>

#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::testing {

struct process_entry {
  pid_t pid;
  pid_t parent;
  char state;  ///< As in proc(5): 'Z' is a zombie.
};

/// All processes, from /proc.
std::vector<process_entry> process_table();

/// What `pid` was started with; empty for a zombie, and from early in a process's exit on.
std::string environment_of(pid_t pid);

/// A pidfd: readable once the process has ended, all its descriptors closed. Empty if it is gone.
graceful::unique_fd open_pidfd(pid_t pid);

/// False if the process has ended.
bool send_signal(const graceful::unique_fd& pidfd, int signal);

}  // namespace graceful::testing

#endif
