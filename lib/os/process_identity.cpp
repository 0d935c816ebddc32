// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_identity.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/proc.hpp"
#include "os/text.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace graceful::os {

namespace {

// Fields of /proc/PID/stat.
constexpr int state_field = 3;
constexpr int parent_field = 4;
constexpr int start_time_field = 22;

std::string stat_of(pid_t pid) {
  return pid > 0 ? whole_file(proc_path(pid, "stat")) : std::string{};
}

/// Empty if there is none.
std::string_view field(std::string_view stat, int number) {
  // The name is in parentheses, and may contain parentheses.
  auto at = stat.rfind(')');
  for (int next = state_field; next <= number && at != stat.npos; ++next) {
    at = stat.find(' ', at + 1);
  }
  return at == stat.npos ? "" : stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

std::optional<process_identity> identity_in(std::string_view stat, pid_t pid) {
  const auto state = field(stat, state_field);
  const auto started = whole_number<std::uint64_t>(field(stat, start_time_field));
  if (!started || state == "Z" || state == "X") return {};
  return process_identity{.pid = pid, .started = *started, .space = own_pid_space()};
}

/// 0 if no parent is visible.
pid_t parent_of(pid_t pid) {
  return whole_number<pid_t>(field(stat_of(pid), parent_field)).value_or(0);
}

std::string pid_space_of(pid_t pid) { return link_target(proc_path(pid, "ns/pid")); }

/// False in the /proc of another PID namespace, where the numbers belong to other processes.
bool is_proc_own() { return link_target("/proc/self") == std::to_string(::getpid()); }

void read_line(process_status& found, const std::string& key, std::istringstream& values) {
  if (key == "Uid:") {
    values >> found.user >> found.effective_user >> found.saved_user;
  } else if (key == "CapPrm:") {
    values >> std::hex >> found.permitted;
  } else if (key == "NSpid:") {
    for (pid_t number = 0; values >> number;) found.numbers.push_back(number);
  }
}

/// Processes may end during the walk, and others get their numbers: the limit ends every walk.
constexpr int most_ancestors = 64;

}  // namespace

std::string own_pid_space() { return link_target("/proc/self/ns/pid"); }

std::optional<process_identity> process_identity::of(pid_t pid) {
  return identity_in(stat_of(pid), pid);
}

std::optional<process_identity> process_identity::of_this_process() {
  return identity_in(whole_file("/proc/self/stat"), ::getpid());
}

bool process_identity::has_ended() const {
  if (pid <= 0 || space.empty() || space != own_pid_space()) return false;
  const auto pidfd = open_pidfd(pid);
  // There is no pidfd for the number of a thread (which kill(2) takes for its process), on a kernel
  // without pidfds, or if the system forbids it.
  if (!pidfd && (errno == ESRCH || (::kill(pid, 0) != 0 && errno == ESRCH))) return true;
  if (pidfd && is_readable(pidfd.get())) return true;
  const auto now = of(pid);  // /proc may hide it (hidepid): its state is unknown then
  return now && now->started != started;
}

bool is_held(int pidfd) {
  // A system that forbids the call returns an error other than ESRCH.
  return ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) == 0 || errno != ESRCH;
}

std::optional<process_status> process_status::of(pid_t pid, int pidfd) {
  if (pid <= 0 || !is_proc_own()) return {};
  std::istringstream file{whole_file(proc_path(pid, "status"))};
  process_status found;
  for (std::string line; std::getline(file, line);) {
    std::istringstream values{line};
    std::string key;
    values >> key;
    read_line(found, key, values);
  }
  // Checked last: what was read then belonged to the process that `pidfd` refers to.
  if (found.numbers.empty() || found.numbers.front() != pid) return {};
  if (pidfd >= 0 && !is_held(pidfd)) return {};
  return found;
}

std::optional<pid_t> number_here(pid_t member, pid_t number) {
  const auto space = pid_space_of(member);
  if (space.empty() || !is_proc_own()) return {};
  std::optional<pid_t> found;
  for_each_process([&](pid_t pid) {
    const auto status = process_status::of(pid, -1);
    if (status && status->numbers.back() == number && pid_space_of(pid) == space) found = pid;
    return !found;
  });
  return found;
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
