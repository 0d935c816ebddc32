// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_LOCK_OWNERS_HPP
#define GRACEFUL_OS_LOCK_OWNERS_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// Which processes own the lock of a control path. flock(2) does not tell: a child that an owner
/// has forked holds it too, and may outlive the owner. So the owners write themselves into the lock
/// file.
namespace graceful::os {

enum class signing {
  alone,   ///< This process is the only owner.
  beside,  ///< The owners that the file names stay: the lock is being passed on.
};

/// Writes this process into the lock file, which is open as `lock`. If that fails, no process takes
/// the lock for left behind.
void sign_lock(int lock, signing how);

/// True if all processes that signed the lock of `control_path` have certainly ended. False if that
/// is unknown: older builds do not sign.
bool owners_have_ended(const std::string& control_path);

/// The processes that signed the lock of `control_path` and are certainly alive: the process that
/// serves, and a successor that has its sockets. Use it for messages and for deciding how long to
/// wait: root sees owners in any user's lock.
std::vector<pid_t> living_owners(const std::string& control_path);

/// Replaces a lock whose owners have ended, if the process that listened on the control path has
/// ended too; removes the socket, and holds the new lock. None if that is not the case, or if
/// another process is just doing it. Waits for a second at most.
result<std::optional<unique_fd>> replace_lock(const std::string& control_path);

}  // namespace graceful::os

#endif
