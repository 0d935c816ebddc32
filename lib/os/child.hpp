// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

/// How a process ended.
struct ending {
  enum class kind { exited, signalled, unknown };

  kind how = kind::unknown;
  int value = 0;  ///< The exit status, or the signal.

  /// Reads a wait status of waitpid(2).
  static ending of_wait_status(int status);

  /// "exited with status 3", "was killed by signal 9 (SIGKILL)", "ended": continues a sentence that
  /// begins with the process's name.
  [[nodiscard]] std::string to_string() const;

  bool operator==(const ending&) const = default;
};

/// A process that this one has spawned. A real child is a zombie from its end until it is reaped,
/// so its owner reaps it when `pidfd()` becomes readable.
class child {
 public:
  /// Executes `command` in a new process. It gets this process's standard input, output and error,
  /// `sockets` from 3 on, then `channel` if there is one (-1: none), and no other descriptor. With
  /// `sockets`, LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are set, whatever the command says of
  /// them. A set-id program executes nothing by a relative path, nor by a PATH that it was given.
  /// Returns after the exec, or with its error, E2BIG if the names exceed `longest_socket_names`.
  /// After an error no process is left, except a sibling, which has ended at once.
  static result<child> spawn(const start_command& command, placement where = placement::child,
                             const std::vector<passed_socket>& sockets = {}, int channel = -1);

  /// A process that runs already; another process may have spawned it. None if there is no such
  /// process (any more).
  static std::optional<child> of(pid_t pid);

  /// The process that `pidfd` refers to.
  static child held(pid_t pid, unique_fd pidfd) { return {pid, std::move(pidfd)}; }

  /// Gives its pidfd to the caller.
  unique_fd let_go() && { return std::move(pidfd_); }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Readable when the process has ended: pidfd_open(2).
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// Reaps the process and returns how it ended; none if it still runs. If another process reaps it
  /// (for a sibling, above all), the kernel tells how it ended once that is done (since Linux
  /// 6.15). This waits for that for 100 ms at most; after that the ending is unknown.
  std::optional<ending> reap();

  /// Waits until the process has ended, and reaps it. For a process that has been killed. False if
  /// it has not ended in that time: it may be in an uninterruptible sleep, or write a core dump.
  bool wait(std::chrono::milliseconds longest);

  /// Sends SIGKILL. Reaches this process and no other: a pidfd never refers to a recycled number.
  boost::system::error_code kill();

  /// Sends another signal in the same way. ESRCH if the process has ended; EPERM if it belongs to
  /// another user by now. Where the system forbids pidfd_send_signal(2), a real child gets the
  /// signal by its number, which stays its own until it is reaped. So do not call this while
  /// another thread may reap it.
  boost::system::error_code signal(int number);

 private:
  child(pid_t pid, unique_fd pidfd) : pid_{pid}, pidfd_{std::move(pidfd)} {}

  pid_t pid_;
  unique_fd pidfd_;
};

/// A pidfd of another process; empty if there is no such process (any more), or no pidfds.
unique_fd open_pidfd(pid_t pid);

/// How long a dying process may take from closing its connections until its pidfd reports its end.
inline constexpr std::chrono::seconds dying_time{1};

}  // namespace graceful::os
