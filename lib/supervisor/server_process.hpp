// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "supervisor/keeper.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace graceful {

/// The process that sent a message to the supervisor, according to the kernel.
struct speaker {
  pid_t pid = 0;  ///< 0: it is not visible from here.
  uid_t user = 0;
  unique_fd pidfd{};  ///< Of the same process; empty before Linux 6.5.
};

/// A process that a message names.
struct named_process {
  pid_t pid;
  unique_fd pidfd{};  ///< Empty if it has gone, or no pidfd can be had.
  bool gone = false;  ///< There is no process with that number (any more).
};

/// The process that `by` means by MAINPID=`number`. The number is only text, and counts in the PID
/// namespace of `by`. None, unless the kernel shows that it is `by` itself, or a process that can
/// be a server of this supervisor: one below it, or one of the same user as `by` but not above it.
std::optional<named_process> named_main(const speaker& by, pid_t number);

/// The process that listens on a control path, according to the kernel.
struct path_server {
  enum class kind {
    nobody,
    /// The socket is held, but the process that called listen(2) has ended: after a commit the
    /// successor will soon call it. Or it cannot be told.
    unknown,
    process,
  } what = kind::nobody;
  pid_t pid = 0;           ///< 0: it is not visible from here, or belongs to another user.
  bool own_user = false;   ///< It belongs to this process's user, or to root.
  unique_fd connection{};  ///< A connection to it.
  unique_fd pidfd{};       ///< Of the same process; empty if it is not visible.

  static path_server of(const std::string& path, os::deadline until);
};

/// Tells a supervisor of upgrades that the server cannot report: the socket for reports may have
/// been removed, or may belong to another user than the server.
class serving_watch {
 public:
  /// `control`: the server's path; empty: unknown. `socket`: the supervisor's.
  serving_watch(std::string control, std::string socket)
      : control_{std::move(control)}, socket_{std::move(socket)} {}

  /// Call it every second: it returns the process that has come to serve in place of another.
  /// Connects only after the lock file has changed, which every upgrade does, and tells a server
  /// that can be upgraded that it is watched.
  std::optional<named_process> look(const supervision::memory& known);

  struct after {
    std::optional<pid_t> heir{};
    unique_fd pidfd{};      ///< Of the heir.
    bool may_come = false;  ///< Some process may be about to serve.
  };
  /// Main has ended: returns which process serves in its place.
  [[nodiscard]] after end_of(pid_t main, const supervision::memory& known) const;

 private:
  /// The lock's file, and when it was changed.
  using lock_state = std::pair<os::file_id, std::chrono::nanoseconds>;

  [[nodiscard]] std::optional<lock_state> lock() const;

  const std::string control_;
  const std::string socket_;
  std::optional<lock_state> lock_;
  int looks_left_ = 0;
  std::optional<pid_t> server_;  ///< The process that served at the last look.
};

}  // namespace graceful
