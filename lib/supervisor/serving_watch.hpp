// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_SERVING_WATCH_HPP
#define GRACEFUL_SUPERVISOR_SERVING_WATCH_HPP

#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "supervisor/keeper.hpp"
#include "supervisor/named_main.hpp"

#include <optional>
#include <string>

#include <sys/types.h>
#include <time.h>

namespace graceful {

/// Who listens on a control path, as far as the kernel tells.
struct path_server {
  enum class kind {
    nobody,
    /// Somebody holds the socket, and who called listen(2) has ended: after a commit the successor
    /// calls it by and by. Or it cannot be told.
    unknown,
    process,
  } what = kind::nobody;
  pid_t pid = 0;           ///< 0: it is not visible from here, or another user's.
  bool own_user = false;   ///< It is this process's user's, or root's.
  unique_fd connection{};  ///< To it.
  unique_fd pidfd{};       ///< Of the same process; empty if it is not visible.

  static path_server of(const std::string& path, os::deadline until);
};

/// How a supervisor hears of an upgrade that the server cannot tell of: the socket for that may
/// have been removed, or be another user's than the server's.
class serving_watch {
 public:
  /// `control`: of the server; empty: it is not known. `socket`: of the supervisor.
  serving_watch(std::string control, std::string socket)
      : control_{std::move(control)}, socket_{std::move(socket)} {}

  /// To be called every second: which process has come to serve in the place of another. Asks only
  /// while the lock's file changes, as an upgrade has it do, and tells a server that can be
  /// succeeded so that it is watched.
  std::optional<named_process> look(const supervision::memory& known);

  struct after {
    std::optional<pid_t> heir{};
    unique_fd pidfd{};      ///< Of the heir.
    bool may_come = false;  ///< There is a process that may be about to serve.
  };
  /// Main has ended: who serves in its place.
  [[nodiscard]] after end_of(pid_t main, const supervision::memory& known) const;

 private:
  struct lock_state {
    os::file_id file;
    timespec changed;
    friend bool operator==(const lock_state& a, const lock_state& b) {
      return a.file == b.file && a.changed.tv_sec == b.changed.tv_sec &&
             a.changed.tv_nsec == b.changed.tv_nsec;
    }
  };

  [[nodiscard]] std::optional<lock_state> lock() const;

  const std::string control_;
  const std::string socket_;
  std::optional<lock_state> lock_;
  int looks_left_ = 0;
  std::optional<pid_t> server_;  ///< Who served when it was looked at last.
};

}  // namespace graceful

#endif
