// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/service_settings.hpp"

#include "os/at_start.hpp"
#include "os/text.hpp"

#include <cstdint>
#include <utility>

#include <unistd.h>

namespace graceful {

namespace {

/// A longer time-out is not meant seriously, and could not be added to a time.
constexpr std::uint64_t longest_watchdog = 365ULL * 24 * 3600 * 1'000'000;

std::uint64_t number(const char* name) {
  return os::whole_number<std::uint64_t>(os::trusted_variable(name)).value_or(0);
}

}  // namespace

service_settings service_settings::take(os::start_command& start) {
  auto supervisor = os::trusted_variable("GRACEFUL_SUPERVISOR");
  // systemd names exactly the process that it means: sd_listen_fds(3).
  const auto whom = supervisor.empty() ? os::addressee::itself : os::addressee::or_ancestor;
  service_settings s{.notify_socket = os::trusted_variable("NOTIFY_SOCKET"),
                     .invocation = os::trusted_variable("INVOCATION_ID"),
                     .passed = os::take_listen_fds(start, whom),
                     .store = number("FDSTORE"),
                     .supervisor = std::move(supervisor),
                     .process = {.supervisor = os::trusted_variable("GRACEFUL_SUPERVISOR_PROCESS"),
                                 .socket = os::trusted_variable("GRACEFUL_SUPERVISOR"),
                                 .user_manager = os::trusted_variable("MANAGERPID"),
                                 .executed = os::trusted_variable("SYSTEMD_EXEC_PID")}};
  for (auto& [name, fd] : s.passed) name = os::from_fd_name(name);
  // A successor gets none: the variable named its predecessor.
  const auto meant = start.take("WATCHDOG_PID");
  const auto period = number("WATCHDOG_USEC");
  if ((meant.empty() || meant == std::to_string(::getpid())) && period <= longest_watchdog) {
    s.watchdog = std::chrono::microseconds{period};
  }
  return s;
}

}  // namespace graceful
