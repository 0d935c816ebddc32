// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_CHILD_HPP
#define GRACEFUL_OS_CHILD_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/launch.hpp"
#include "os/start_command.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// How a process ended.
struct ending {
  enum class kind { exited, signalled, unknown };

  kind how = kind::unknown;
  int value = 0;  ///< The exit status, or the signal.

  /// Of what waitpid(2) calls a status.
  static ending of_wait_status(int status);

  /// "exited with status 3", "was killed by signal 9 (SIGKILL)", "ended": reads on from its name.
  [[nodiscard]] std::string to_string() const;

  bool operator==(const ending&) const = default;
};

/// A process that this one has spawned. A child proper is a zombie from its end until it is
/// reaped, so its owner reaps it when `pidfd()` becomes readable.
class child {
 public:
  /// Starts `command`, see `launch`. The error says so if the program cannot be executed.
  static result<child> spawn(const start_command& command, placement where = placement::child,
                             const std::vector<passed_socket>& sockets = {}, int channel = -1);

  /// One that runs already, and that somebody else may have spawned. None if there is no such
  /// process (any more).
  static std::optional<child> of(pid_t pid);

  /// The one that `pidfd` holds.
  static child held(pid_t pid, unique_fd pidfd) { return {pid, std::move(pidfd)}; }

  /// What holds it, for somebody else to hold it by.
  unique_fd let_go() && { return std::move(pidfd_); }

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Readable when the process has ended: pidfd_open(2).
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// How it ended; none if it still runs. Reaps it. What became of one that somebody else reaps, a
  /// sibling above all, the kernel tells when that is done (since Linux 6.15), for which this
  /// waits 100 ms at most; else it is unknown.
  std::optional<ending> reap();

  /// Waits until it has ended, and reaps it; for one that has been killed. False if it has not
  /// after that time: it may be in an uninterruptible sleep, or write a core dump.
  bool wait(std::chrono::milliseconds longest);

  /// SIGKILL. Reaches this process and no other: the number cannot be recycled behind a pidfd.
  boost::system::error_code kill();

  /// The same with another signal. ESRCH if it has ended; EPERM if it is another user's by now.
  /// Where the system forbids pidfd_send_signal(2), a child proper gets it by its number, which is
  /// its own until it is reaped: so not while another thread may do that.
  boost::system::error_code signal(int number);

 private:
  child(pid_t pid, unique_fd pidfd) : pid_{pid}, pidfd_{std::move(pidfd)} {}

  pid_t pid_;
  unique_fd pidfd_;
};

/// A pidfd of another process; empty if there is no such process (any more), or no pidfds.
unique_fd open_pidfd(pid_t pid);

/// A process that dies closes its connections before its pidfd says so: how long that may take.
inline constexpr std::chrono::seconds dying_time{1};

}  // namespace graceful::os

#endif
