// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_LOCK_OWNERS_HPP
#define GRACEFUL_OS_LOCK_OWNERS_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// Which processes the lock of a control path belongs to. flock(2) does not tell: a child that an
/// owner has forked holds it too, and may outlive the owner. So the owners write themselves into
/// the lock file.
namespace graceful::os {

enum class signing {
  alone,   ///< Nobody else is an owner.
  beside,  ///< Those that stand in the file stay: the lock is being passed on.
};

/// Writes this process into the lock file, which is open as `lock`. Where that fails nobody takes
/// the lock for left behind.
void sign_lock(int lock, signing how);

/// All that have signed the lock of `control_path` have ended, for sure. False if nothing is known:
/// older builds do not sign.
bool owners_have_ended(const std::string& control_path);

/// Those that have signed the lock of `control_path` and live, for sure: the process that serves,
/// and a successor that has its sockets. For messages and patience: root sees them in anybody's
/// lock.
std::vector<pid_t> living_owners(const std::string& control_path);

/// Puts a new lock in the place of one whose owners have ended, if whoever listens on the control
/// path has too; removes the socket, and holds the lock. None if that is not so, or another process
/// does it just now. Waits for a second at most.
result<std::optional<unique_fd>> replace_lock(const std::string& control_path);

}  // namespace graceful::os

#endif
