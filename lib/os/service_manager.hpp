// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

namespace graceful::os {

/// Tells the service manager that started this process how it goes: systemd or `graceful-ctl run`,
/// by the datagrams of sd_notify(3). Connects again for each message, so a manager that binds the
/// address later gets the next one. Thread-safe.
class service_manager {
 public:
  /// `address` is a path or, with a leading '@', an abstract name: the value of NOTIFY_SOCKET.
  static result<service_manager> at(std::string_view address);

  /// Sends `assignments`, "READY=1\nSTATUS=..."; with `descriptors`, 253 at most, which stay the
  /// caller's. Does not block: fails with EAGAIN if the manager is slow to read.
  [[nodiscard]] result<void> notify(std::string_view assignments,
                                    const std::vector<int>& descriptors = {}) const;

  /// Succeeds if `notify` would find a receiver; sends nothing.
  [[nodiscard]] result<void> reach() const;

 private:
  service_manager() = default;

  unique_fd socket_;
  sockaddr_un address_{};
  socklen_t length_ = 0;
};

/// What the environment says about the process that manages this one. Trusted only if the kernel
/// says that this is the parent: any process may have started one that has NOTIFY_SOCKET, and a
/// parent that does not wait for children which it did not start keeps them as zombies.
struct manager_process {
  std::string supervisor{};  ///< GRACEFUL_SUPERVISOR_PROCESS: `own_process_text` of a supervisor.
  std::string socket{};  ///< GRACEFUL_SUPERVISOR, of an older supervisor, which does not set the
                         ///< above.
  std::string user_manager{};  ///< MANAGERPID, systemd.exec(5).
  std::string executed{};      ///< SYSTEMD_EXEC_PID, systemd.exec(5): the process that systemd has
                               ///< executed.
  std::string booted = "/run/systemd/system";  ///< Exists if PID 1 is systemd: sd_booted(3).

  /// True if the manager is the parent of this process.
  [[nodiscard]] bool is_parent() const;
};

/// Identifies this process to others: its number, and the PID namespace in which that counts.
std::string own_process_text();

struct named_descriptor {
  std::string name;
  unique_fd fd;
};

/// The first descriptor that a service manager passes: SD_LISTEN_FDS_START.
inline constexpr int first_passed = 3;

/// Which process LISTEN_PID names if the descriptors are meant for this one.
enum class addressee {
  itself,
  /// This process, or a shell above it that was started in its place and passed on what it does not
  /// know. Such a shell may have closed or reused descriptors: so either all of them are listening
  /// sockets, or none is taken.
  or_ancestor
};

/// Takes what a service manager passed to this process at its start, sd_listen_fds(3):
/// close-on-exec and non-blocking, by name ("unknown" without one). Removes LISTEN_PID, LISTEN_FDS
/// and LISTEN_FDNAMES from the environment and from `start`: no child may believe that they are
/// meant for it. Empty if they are not meant for this process.
std::vector<named_descriptor> take_listen_fds(start_command& start,
                                              addressee whom = addressee::itself);

/// A listener's name as an FDNAME: 255 ASCII characters at most, none of them a colon or a control
/// character. Forbidden characters, spaces and '%' become %XX; a result that is too long then ends
/// in a hash.
std::string to_fd_name(std::string_view name);

/// Undoes `to_fd_name`. Other names come out unchanged.
std::string from_fd_name(std::string_view fd_name);

}  // namespace graceful::os
