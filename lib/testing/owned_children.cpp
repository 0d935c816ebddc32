// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/owned_children.hpp"

#include "testing/blocked_signals.hpp"

#include <cerrno>
#include <mutex>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

namespace graceful::testing {
namespace {

std::mutex owned_mutex;
std::set<pid_t> owned;

void have_children_stay() {
  struct sigaction now {};
  ::sigaction(SIGCHLD, nullptr, &now);
  const bool ignored = (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_IGN;
  if (!ignored && (now.sa_flags & SA_NOCLDWAIT) == 0) return;
  if (ignored) now.sa_handler = SIG_DFL;
  now.sa_flags &= ~SA_NOCLDWAIT;
  ::sigaction(SIGCHLD, &now, nullptr);
}

std::optional<siginfo_t> wait_for(pid_t pid, int how) {
  siginfo_t info{};
  int waited = 0;
  do waited = ::waitid(P_PID, static_cast<id_t>(pid), &info, how);
  while (waited != 0 && errno == EINTR);
  if (waited != 0 || info.si_pid == 0) return {};
  return info;
}

}  // namespace

pid_t fork_owned_child() {
  have_children_stay();
  const blocked_signals none;
  const std::lock_guard lock{owned_mutex};
  const pid_t pid = ::fork();
  if (pid > 0) owned.insert(pid);
  return pid;
}

std::optional<siginfo_t> reap_owned_child(pid_t pid) {
  wait_for(pid, WEXITED | WNOWAIT);
  const std::lock_guard lock{owned_mutex};
  const auto how = wait_for(pid, WEXITED | WNOHANG);
  owned.erase(pid);
  return how;
}

std::optional<siginfo_t> reap_orphan(pid_t pid) {
  const std::lock_guard lock{owned_mutex};
  return wait_for(pid, WEXITED | WNOHANG | (owned.contains(pid) ? WNOWAIT : 0));
}

bool owns_child(pid_t pid) {
  const std::lock_guard lock{owned_mutex};
  return owned.contains(pid);
}

}  // namespace graceful::testing
