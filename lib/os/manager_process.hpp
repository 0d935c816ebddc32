// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_MANAGER_PROCESS_HPP
#define GRACEFUL_OS_MANAGER_PROCESS_HPP

#include <string>

namespace graceful::os {

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

}  // namespace graceful::os

#endif
