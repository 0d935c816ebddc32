// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_LAUNCH_HPP
#define GRACEFUL_OS_LAUNCH_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// Which process is the parent of a new one: it hears first that the new process has ended, and has
/// to reap it.
enum class placement {
  child,    ///< A child of this process.
  leader,   ///< A child that leads its own process group: what a terminal or kill(2) sends to the
            ///< group of this process does not reach it.
  sibling,  ///< A child of this process's own parent, a service manager (CLONE_PARENT of clone(2)).
            ///< Where that is impossible, because this is PID 1, it becomes a child.
};

/// A descriptor that a new process gets as sd_listen_fds(3) describes it. Borrowed.
struct passed_socket {
  std::string name;  ///< Valid in LISTEN_FDNAMES, see `to_fd_name`.
  int fd;
};

/// The maximum length of all names together, including a separator for each: LISTEN_FDNAMES is one
/// variable, and execve(2) takes none beyond 128 KiB.
inline constexpr std::size_t longest_socket_names =
    131'072 - std::string_view{"LISTEN_FDNAMES="}.size();

struct launched {
  pid_t pid;
  unique_fd pidfd;  ///< Close-on-exec.
};

/// Executes `command` in a new process. It gets this process's standard input, output and error,
/// `sockets` from 3 on, then `channel` if there is one (-1: none), and no other descriptor. With
/// `sockets`, LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are set, whatever the command says of them.
/// A set-id program executes nothing by a relative path, nor by a PATH that it was given. Returns
/// after the exec, or with its error, E2BIG if the names exceed `longest_socket_names`. After an
/// error no process is left, except a sibling, which has ended at once.
result<launched> launch(const start_command& command, placement where,
                        const std::vector<passed_socket>& sockets, int channel = -1);

}  // namespace graceful::os

#endif
