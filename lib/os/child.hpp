// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_CHILD_HPP
#define GRACEFUL_OS_CHILD_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <optional>
#include <string>

#include <signal.h>
#include <sys/types.h>

namespace graceful::os {

/// A process that this one has spawned. It is a zombie from its end until it is reaped, so its
/// owner reaps it when `pidfd()` becomes readable.
class child {
 public:
  /// Starts `command` with standard input, output and error of this process, and no other
  /// descriptor. The error says so if the program cannot be executed.
  static result<child> spawn(const start_command& command);

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Readable when the process has ended: pidfd_open(2).
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// How it ended ("exited with status 3"); none if it still runs. Reaps it.
  std::optional<std::string> reap();

  /// Waits until it has ended, and reaps it; for one that has been killed.
  void wait();

  /// SIGKILL. Reaches this process and no other: the number cannot be recycled behind a pidfd.
  void kill();

 private:
  child(pid_t pid, unique_fd pidfd) : pid_{pid}, pidfd_{std::move(pidfd)} {}

  pid_t pid_;
  unique_fd pidfd_;
};

/// A pidfd of another process; empty if there is no such process (any more), or no pidfds.
unique_fd open_pidfd(pid_t pid);

}  // namespace graceful::os

#endif
