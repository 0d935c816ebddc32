// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_CONTROL_PATH_HPP
#define GRACEFUL_OS_CONTROL_PATH_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

/// The control socket's path in the file system, and the lock beside it that says who may bind it.
namespace graceful::os {

/// Makes the directory of default control paths, if it is not there, and checks that nobody else
/// can write to it.
result<void> make_private_directory(const std::string& directory);

/// The check alone. ENOENT if the directory is not there.
result<void> check_private_directory(const std::string& directory);

/// flock(2) on PATH.lock, signed (see lock_owners). None: another process holds it, or replaces it
/// just now. The lock belongs to the open file description, so passing the descriptor to another
/// process passes the lock.
result<std::optional<unique_fd>> try_lock(const std::string& control_path);

/// Nobody replaces a lock that is left behind while another process takes it. By another lock of
/// the same file: fcntl(2), F_OFD_SETLK, which is nothing to flock(2). So a process that has been
/// left behind does not hold it, and another user, who cannot open the file, never does.
class lock_guard {
 public:
  enum class purpose { taking, replacing };
  enum class outcome { held, busy, impossible };

  /// Waits for 100 ms at most. `lock` is an open lock file, and stays open as long as this object
  /// lives.
  lock_guard(int lock, purpose why);
  lock_guard(const lock_guard&) = delete;
  lock_guard& operator=(const lock_guard&) = delete;
  ~lock_guard();

  [[nodiscard]] outcome what() const { return what_; }

 private:
  const int lock_;
  outcome what_ = outcome::held;
};

/// A name that nothing has, with a dot in front.
std::string temporary_name();

/// True if `fd` is an open PATH.lock, and locked; or if somebody has removed the file meanwhile, in
/// which case the live control socket alone guards the path.
bool holds_lock(int fd, const std::string& control_path);

/// Binds the control socket, mode 0600, and listens; for the holder of the lock. The path appears
/// in one step, with somebody listening behind it. A socket that nobody listens on is replaced; a
/// live one (already_running) and a file of another kind (path_in_use) never are.
result<unique_fd> bind_control(const std::string& path);

/// Success if it could: nothing is there, or a socket that nobody listens on.
result<void> check_replaceable(const std::string& path);

/// Success if `fd` is a listening Unix stream socket.
result<void> check_control(int fd);

/// listen(2) once more, which makes this process the one that SO_PEERCRED of clients names: they
/// believe nobody else. False, with errno, if that fails.
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

/// The path of the lock.
inline std::string lock_path(const std::string& control_path) { return control_path + ".lock"; }

}  // namespace graceful::os

#endif
