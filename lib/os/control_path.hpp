// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_CONTROL_PATH_HPP
#define GRACEFUL_OS_CONTROL_PATH_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>

#include <sys/types.h>

/// The control socket's path in the file system, and the lock file beside it that decides who may
/// bind it.
namespace graceful::os {

/// Makes the directory of default control paths if it does not exist, and checks that no other user
/// can write to it.
result<void> make_private_directory(const std::string& directory);

/// Only checks. ENOENT if the directory does not exist.
result<void> check_private_directory(const std::string& directory);

/// Takes flock(2) on PATH.lock and signs it (see lock_owners). None: another process holds the
/// lock, or is replacing it. The lock belongs to the open file description, so passing the
/// descriptor to another process passes the lock.
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

/// A name that no file has, with a leading dot.
std::string temporary_name();

/// True if `fd` is an open PATH.lock and locked, or if the file has been removed meanwhile: the
/// live control socket alone then guards the path.
bool holds_lock(int fd, const std::string& control_path);

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

inline std::string lock_path(const std::string& control_path) { return control_path + ".lock"; }

}  // namespace graceful::os

#endif
