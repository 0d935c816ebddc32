// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// The control socket's path in the file system, and the lock file beside it that decides who may
/// bind it.
namespace graceful::os {

/// Makes the directory of default control paths if it does not exist, and checks that no other user
/// can write to it.
result<void> make_private_directory(const std::string& directory);

/// Only checks. ENOENT if the directory does not exist.
result<void> check_private_directory(const std::string& directory);

/// Binds the control socket, mode 0600, and listens. Only for the holder of the lock. The path
/// appears in one step, already listening. It replaces a socket that nobody listens on, but never a
/// live one (already_running) or a file of another kind (path_in_use).
result<unique_fd> bind_control(const std::string& path);

/// Succeeds if bind_control() could: the path is free, or a socket that nobody listens on.
result<void> check_replaceable(const std::string& path);

/// Succeeds if `fd` is a listening Unix stream socket.
result<void> check_control(int fd);

/// Calls listen(2) again, so that the SO_PEERCRED of clients names this process: clients trust no
/// other. False, with errno, if that fails.
bool adopt_control(int fd);

/// Which file a path names.
struct file_id {
  dev_t device;
  ino_t inode;
  bool operator==(const file_id&) const = default;
};
std::optional<file_id> identify(const std::string& path);
std::optional<file_id> identify(int fd);

/// Removes the path if it still names this file.
void remove_path(const std::string& path, const std::optional<file_id>& file);

// Which processes own the lock of a control path. flock(2) does not tell: a child that an owner
// has forked holds it too, and may outlive the owner. So the owners write themselves into the
// lock file.

inline std::string lock_path(const std::string& control_path) { return control_path + ".lock"; }

/// Takes flock(2) on PATH.lock and signs it. None: another process holds the lock, or is replacing
/// it. The lock belongs to the open file description, so passing the descriptor to another process
/// passes the lock.
result<std::optional<unique_fd>> try_lock(const std::string& control_path);

/// While one process takes a lock, no other can replace it as left behind. The guard is another
/// lock on the same file, fcntl(2) F_OFD_SETLK, which does not interact with flock(2). So a forked
/// process that was left behind does not hold it, and another user, who cannot open the file, never
/// does.
class lock_guard {
 public:
  enum class purpose { taking, replacing };
  enum class outcome { held, busy, impossible };

  /// Waits for 100 ms at most. `lock` is an open lock file and must stay open as long as this
  /// object lives.
  lock_guard(int lock, purpose why);
  lock_guard(const lock_guard&) = delete;
  lock_guard& operator=(const lock_guard&) = delete;
  ~lock_guard();

  [[nodiscard]] outcome what() const { return what_; }

 private:
  const int lock_;
  outcome what_ = outcome::held;
};

/// True if `fd` is an open PATH.lock and locked, or if the file has been removed meanwhile: the
/// live control socket alone then guards the path.
bool holds_lock(int fd, const std::string& control_path);

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

/// A name that no file has, with a leading dot.
std::string temporary_name();

/// The directory in which a path is.
std::string directory_of(const std::string& path);

}  // namespace graceful::os
