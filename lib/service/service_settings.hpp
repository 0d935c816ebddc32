// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_SERVICE_SETTINGS_HPP
#define GRACEFUL_SERVICE_SERVICE_SETTINGS_HPP

#include "os/service_manager.hpp"
#include "os/start_command.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace graceful {

/// What the environment says about the service manager of this process.
struct service_settings {
  /// Removes what is meant for this process alone (LISTEN_..., WATCHDOG_PID) from the environment
  /// and from the start command. The rest stays, because successors need it.
  static service_settings take(os::start_command& start);

  std::string notify_socket{};                 ///< NOTIFY_SOCKET; empty: there is no manager.
  std::string invocation{};                    ///< INVOCATION_ID: one run of a unit of systemd.
  std::vector<os::named_descriptor> passed{};  ///< LISTEN_FDS, with the names of listeners.
  std::uint64_t store = 0;                ///< FDSTORE: how many descriptors the fd store takes.
  std::chrono::microseconds watchdog{0};  ///< WATCHDOG_USEC; 0: none.
  std::string supervisor{};               ///< GRACEFUL_SUPERVISOR: a control socket.
  os::manager_process process{};          ///< The manager's process.
};

}  // namespace graceful

#endif
