// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/child.hpp"

#include "os/system_failure.hpp"

#include <cstring>
#include <vector>

#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// P_PIDFD, which older headers lack: waitid(2).
constexpr auto wait_by_pidfd = static_cast<idtype_t>(3);

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& s : strings) result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

sigset_t complement(const sigset_t& signals) {
  sigset_t others;
  ::sigfillset(&others);
  for (int number = 1; number < NSIG; ++number) {
    if (::sigismember(&signals, number) == 1) ::sigdelset(&others, number);
  }
  return others;
}

/// Attributes and file actions of posix_spawn(3), which have to be destroyed.
struct spawn_plan {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};

  spawn_plan() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
  ~spawn_plan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

result<child> child::spawn(const start_command& command) {
  spawn_plan plan;
  const sigset_t not_ignored = complement(command.signals.ignored);
  ::posix_spawnattr_setsigmask(&plan.attributes, &command.signals.blocked);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &not_ignored);
  ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawn_file_actions_addchdir_np(&plan.actions, command.directory.c_str());
  // Asio marks nothing close-on-exec, so neither may the application have done.
  ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, 3);
  const auto arguments = pointers(command.arguments);
  const auto environment = pointers(command.environment);
  pid_t pid = -1;
  // Returns after the exec, or with the error that the exec gave: posix_spawn(3) of glibc.
  const int error = ::posix_spawnp(&pid, command.file.c_str(), &plan.actions, &plan.attributes,
                                   arguments.data(), environment.data());
  if (error != 0) {
    return system_failure("cannot execute " + command.file + " in " + command.directory, error);
  }
  unique_fd pidfd = open_pidfd(pid);
  if (!pidfd) {
    // Reaped already, by an application that waits for any child or ignores SIGCHLD: the number may
    // be somebody else's by now.
    if (errno == ESRCH) return failure{errc::upgrade_failed, command.file + " ended at once"};
    auto why = system_failure("cannot watch the successor (pidfd_open)");
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return why;
  }
  return child{pid, std::move(pidfd)};
}

std::optional<std::string> child::reap() {
  siginfo_t info{};
  const int n = ::waitid(wait_by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  if (n != 0) {
    if (errno == EINTR) return {};
    return "ended";  // ECHILD: the application ignores SIGCHLD, or has reaped it
  }
  if (info.si_pid == 0) return {};
  if (info.si_code == CLD_EXITED) return "exited with status " + std::to_string(info.si_status);
  const char* name = ::sigabbrev_np(info.si_status);
  return "was killed by signal " + std::to_string(info.si_status) +
         (name == nullptr ? "" : std::string{" (SIG"} + name + ")");
}

void child::wait() {
  siginfo_t info{};
  while (::waitid(wait_by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
}

void child::kill() { ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0); }

unique_fd open_pidfd(pid_t pid) {
  // By number: <sys/pidfd.h> of older systems lacks it, or lacks extern "C". Close-on-exec.
  if (pid <= 0) return {};
  return unique_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
}

}  // namespace graceful::os
