// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_identity.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/whole_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <signal.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace graceful::os {

namespace {

// Fields of /proc/PID/stat.
constexpr int state = 3;
constexpr int start_time = 22;

/// The fields from the state on.
std::optional<std::istringstream> fields_of(pid_t pid) {
  const auto text = pid > 0 ? whole_file("/proc/" + std::to_string(pid) + "/stat") : std::string{};
  // The name is in parentheses, and may contain parentheses.
  const auto name_end = text.rfind(')');
  if (name_end == text.npos) return {};
  return std::istringstream{text.substr(name_end + 1)};
}

/// 0 if no parent is visible.
pid_t parent_of(pid_t pid) {
  auto fields = fields_of(pid);
  std::string process_state;
  pid_t parent = 0;
  if (!fields || !(*fields >> process_state >> parent)) return 0;
  return parent;
}

/// Processes may end during the walk, and others get their numbers: the limit ends every walk.
constexpr int most_ancestors = 64;

}  // namespace

std::string own_pid_space() {
  std::array<char, 64> space{};
  const auto length = ::readlink("/proc/self/ns/pid", space.data(), space.size());
  return {space.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

std::optional<process_identity> process_identity::of(pid_t pid) {
  auto fields = fields_of(pid);
  if (!fields) return {};
  std::string field;
  process_identity found{.pid = pid, .started = 0, .space = {}};
  for (int number = state; number < start_time && *fields >> field; ++number) {
    if (number == state && (field == "Z" || field == "X")) return {};
  }
  if (!(*fields >> found.started)) return {};
  found.space = own_pid_space();
  return found;
}

bool process_identity::has_ended() const {
  if (pid <= 0 || space.empty() || space != own_pid_space()) return false;
  const auto pidfd = open_pidfd(pid);
  // There is no pidfd for the number of a thread (which kill(2) takes for its process), on a kernel
  // without pidfds, or if the system forbids it.
  if (!pidfd && (errno == ESRCH || (::kill(pid, 0) != 0 && errno == ESRCH))) return true;
  if (pidfd && wait_readable(pidfd.get(), std::chrono::steady_clock::now())) return true;
  const auto now = of(pid);  // /proc may hide it (hidepid): its state is unknown then
  return now && now->started != started;
}

bool is_ancestor(pid_t pid) {
  const pid_t parent = ::getppid();
  return parent == pid || is_descendant(parent, pid);
}

bool is_descendant(pid_t pid, pid_t of) {
  pid_t next = parent_of(pid);
  for (int i = 0; i < most_ancestors && next > 0; ++i) {
    if (next == of) return true;
    next = parent_of(next);
  }
  return false;
}

bool is_child(pid_t pid) {
  siginfo_t info{};
  return pid > 0 &&
         ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool is_below_this(pid_t pid) { return is_child(pid) || is_descendant(pid, ::getpid()); }

/// A child belongs to the thread that made it or, if it was orphaned, got it.
std::optional<std::vector<pid_t>> own_children() {
  std::error_code failed;
  std::vector<pid_t> found;
  for (std::filesystem::directory_iterator task{"/proc/self/task", failed}, end;
       !failed && task != end; task.increment(failed)) {
    std::ifstream list{task->path() / "children"};
    if (!list) return {};
    for (pid_t pid = 0; list >> pid;) found.push_back(pid);
  }
  if (failed) return {};
  return found;
}

}  // namespace graceful::os
