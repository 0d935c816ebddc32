// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_identity.hpp"
#include "os/system_failure.hpp"
#include "supervisor/supervision_driver.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <signal.h>
#include <unistd.h>

namespace graceful {

void supervision_driver::signal(const supervision::action::send& what) {
  const pid_t group = what.to_group ? ::getpgid(what.pid) : 0;
  if (group > 0 && group == ::getpgrp()) return;  // the terminal has already told it
  const auto failed = tell(what);
  // Log whatever is not passed on: its sender waits for an effect.
  if (!failed || failed == os::system_code(ESRCH)) return;
  const char* const name = ::sigabbrev_np(what.signal);
  log_.error("cannot send signal " + std::to_string(what.signal) +
             (name == nullptr ? "" : std::string{" (SIG"} + name + ")") + " to pid " +
             std::to_string(what.pid) + ": " + failed.message() +
             (failed == os::system_code(EPERM)
                  ? "; it runs as another user than the supervisor: send it as root, and run "
                    "graceful-ctl run as root, or as that user"
                  : "; send it with kill(1)"));
}

boost::system::error_code supervision_driver::tell(const supervision::action::send& what) {
  const auto found = known_.find(what.pid);
  if (found == known_.end()) {
    // It could not be followed. The number of a child is its own until it is reaped.
    if (!os::is_child(what.pid))
      return os::system_code(unfollowed_.contains(what.pid) ? EMFILE : ESRCH);
    return os::system_code(::kill(what.pid, what.signal) == 0 ? 0 : errno);
  }
  auto& process = found->second.process;
  // Only in a group that it leads are all processes known to be the server's.
  if (!what.to_group || ::getpgid(what.pid) != what.pid) return process.signal(what.signal);
  const auto failed = process.signal(0);
  // Without a pidfd the number may belong to another process by now, unless it is a child of this
  // one.
  if (failed && (failed == os::system_code(ESRCH) || !os::is_child(what.pid))) return failed;
  const int told = ::kill(-what.pid, what.signal) == 0 ? 0 : errno;
  return failed ? failed : os::system_code(told);
}

}  // namespace graceful
