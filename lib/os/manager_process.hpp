// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_MANAGER_PROCESS_HPP
#define GRACEFUL_OS_MANAGER_PROCESS_HPP

#include <string>

namespace graceful::os {

/// What the environment says of the process that looks after this one. To be believed only of what
/// the kernel says is the parent: who has NOTIFY_SOCKET may have been started by anybody, and a
/// parent that does not wait for children which it has not started keeps them as zombies.
struct manager_process {
  std::string supervisor{};    ///< GRACEFUL_SUPERVISOR_PROCESS: `own_process_text` of a supervisor.
  std::string socket{};        ///< GRACEFUL_SUPERVISOR, of one that does not say the above: older.
  std::string user_manager{};  ///< MANAGERPID, systemd.exec(5).
  std::string executed{};      ///< SYSTEMD_EXEC_PID, systemd.exec(5): whom systemd has executed.
  std::string booted = "/run/systemd/system";  ///< Is there if PID 1 is systemd: sd_booted(3).

  /// It is the parent of this process.
  [[nodiscard]] bool is_parent() const;
};

/// This process, for others: its number, and the PID namespace in which that counts.
std::string own_process_text();

}  // namespace graceful::os

#endif
