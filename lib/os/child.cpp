// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/child.hpp"

#include "os/channel.hpp"
#include "os/process_identity.hpp"
#include "os/spare_descriptors.hpp"
#include "os/system_failure.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// P_PIDFD, which older headers lack: waitid(2).
constexpr auto wait_by_pidfd = static_cast<idtype_t>(3);

/// How long the process that has to reap a sibling may take.
constexpr int reaping_time_ms = 100;

/// struct pidfd_info of <linux/pidfd.h> as of Linux 6.13, which older headers lack.
struct pidfd_info {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::array<std::uint32_t, 11> ids;
  std::int32_t exit_code;
};
constexpr unsigned long pidfd_get_info = _IOWR(0xFF, 11, pidfd_info);
constexpr std::uint64_t pidfd_info_exit = 1U << 3;  // Linux 6.15

/// The ending of a process that another process reaps: from then on the kernel keeps it for its
/// pidfds.
ending ending_by(int pidfd) {
  for (const bool last : {false, true}) {
    pidfd_info info{};
    info.mask = pidfd_info_exit;
    const bool found = ::ioctl(pidfd, pidfd_get_info, &info) == 0;
    if (found && (info.mask & pidfd_info_exit) != 0) {
      return ending::of_wait_status(info.exit_code);
    }
    // ESRCH: the process was reaped between the kernel's look for its exit and its look for the
    // process.
    if (!found && errno != ESRCH) return {};
    pollfd reaped{.fd = pidfd, .events = 0, .revents = 0};  // POLLHUP
    if (found && !last) ::poll(&reaped, 1, reaping_time_ms);
  }
  return {};
}

}  // namespace

ending ending::of_wait_status(int status) {
  if (WIFEXITED(status)) return {kind::exited, WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return {kind::signalled, WTERMSIG(status)};
  return {};
}

std::string ending::to_string() const {
  if (how == kind::unknown) return "ended";
  if (how == kind::exited) return "exited with status " + std::to_string(value);
  const char* name = ::sigabbrev_np(value);
  return "was killed by signal " + std::to_string(value) +
         (name == nullptr ? "" : std::string{" (SIG"} + name + ")");
}

std::optional<ending> child::reap() {
  siginfo_t info{};
  const int n = ::waitid(wait_by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  if (n == 0) {
    if (info.si_pid == 0) return {};
    return ending{info.si_code == CLD_EXITED ? ending::kind::exited : ending::kind::signalled,
                  info.si_status};
  }
  if (errno == EINTR) return {};
  // ECHILD: it is a sibling, or the application ignores SIGCHLD or has reaped it.
  if (!is_readable(pidfd_.get())) return {};
  return ending_by(pidfd_.get());
}

bool child::wait(std::chrono::milliseconds longest) {
  if (!wait_readable(pidfd_.get(), after(longest))) return false;
  siginfo_t info{};
  ::waitid(wait_by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  return true;
}

std::optional<child> child::of(pid_t pid) {
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return {};
  return child{pid, std::move(pidfd)};
}

boost::system::error_code child::kill() { return signal(SIGKILL); }

boost::system::error_code child::signal(int number) {
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0) return {};
  const int why = errno;
  // A seccomp filter that does not know the call may return any error. Where permission really is
  // lacking, kill(2) fails with the same error.
  const bool ended = why == ESRCH || is_readable(pidfd_.get());
  if (ended || !is_child(pid_)) return system_code(why);
  return system_code(::kill(pid_, number) == 0 ? 0 : errno);
}

unique_fd open_pidfd(pid_t pid) {
  // Called by number: <sys/pidfd.h> of older systems lacks it, or lacks extern "C". Close-on-exec.
  if (pid <= 0) return {};
  return unique_fd{spare_descriptors::with(
      [pid] { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); })};
}

}  // namespace graceful::os
