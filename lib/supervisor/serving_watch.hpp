// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_SERVING_WATCH_HPP
#define GRACEFUL_SUPERVISOR_SERVING_WATCH_HPP

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "supervisor/keeper.hpp"
#include "supervisor/named_main.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace graceful {

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

#endif
