// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/named_main.hpp"

#include "os/child.hpp"
#include "os/process_identity.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace graceful {

namespace {

named_process itself(const speaker& by) {
  return {.pid = by.pid,
          .pidfd = by.pidfd ? unique_fd{::fcntl(by.pidfd.get(), F_DUPFD_CLOEXEC, 0)}
                            : os::open_pidfd(by.pid)};
}

/// `user`: also accepts processes of this user that are not below this one; none: does not.
bool can_be_server(pid_t pid, int pidfd, std::optional<uid_t> user) {
  if (os::is_below_this(pid)) return os::is_held(pidfd);
  const auto status = os::process_status::of(pid, pidfd);
  return status && user && status->user == *user && pid != ::getpid() && !os::is_ancestor(pid);
}

/// `number` counts in this process's PID namespace.
std::optional<named_process> find(pid_t number, std::optional<uid_t> user) {
  auto pidfd = os::open_pidfd(number);
  const int why = errno;
  // It has ended, and its end will be reported; no other process is affected.
  if (!pidfd && why == ESRCH) return named_process{.pid = number, .gone = true};
  const bool thread = !pidfd && (why == EINVAL || why == ENOENT);
  if (thread || !can_be_server(number, pidfd.get(), user)) return {};
  return named_process{.pid = number, .pidfd = std::move(pidfd)};
}

}  // namespace

std::optional<named_process> named_main(const speaker& by, pid_t number) {
  if (by.pid <= 0) return {};
  const auto status = os::process_status::of(by.pid, by.pidfd.get());
  if (!status) {  // it has ended, or there is no /proc
    return number == by.pid ? itself(by) : find(number, std::nullopt);
  }
  if (number == status->numbers.back()) return itself(by);
  if (status->numbers.size() == 1) return find(number, by.user);
  const auto here = os::number_here(by.pid, number);
  return here ? find(*here, by.user) : std::nullopt;
}

}  // namespace graceful
