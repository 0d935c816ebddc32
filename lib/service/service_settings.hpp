// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_SERVICE_SETTINGS_HPP
#define GRACEFUL_SERVICE_SERVICE_SETTINGS_HPP

#include "os/manager_process.hpp"
#include "os/service_manager.hpp"
#include "os/start_command.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace graceful {

/// What the environment says of the service manager that this process belongs to.
struct service_settings {
  /// Takes what is meant for this process alone (LISTEN_..., WATCHDOG_PID) out of the environment
  /// and out of the start command. The rest stays, because successors need it.
  static service_settings take(os::start_command& start);

  std::string notify_socket{};                 ///< NOTIFY_SOCKET; empty: there is no manager.
  std::string invocation{};                    ///< INVOCATION_ID: one run of a unit of systemd.
  std::vector<os::named_descriptor> passed{};  ///< LISTEN_FDS; by the names of listeners.
  std::uint64_t store = 0;                     ///< FDSTORE: how many descriptors it keeps.
  std::chrono::microseconds watchdog{0};       ///< WATCHDOG_USEC; 0: none.
  std::string supervisor{};                    ///< GRACEFUL_SUPERVISOR: a control socket.
  os::manager_process process{};               ///< The manager itself.
};

}  // namespace graceful

#endif
