// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_status.hpp"

#include "os/whole_file.hpp"
#include "os/whole_number.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string>

#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace graceful::os {

namespace {

std::string link_at(const std::string& path) {
  std::array<char, 64> target{};
  const auto length = ::readlink(path.c_str(), target.data(), target.size());
  return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

std::string pid_space_of(pid_t pid) { return link_at("/proc/" + std::to_string(pid) + "/ns/pid"); }

/// False in the /proc of another PID namespace, where the numbers belong to other processes.
bool is_proc_own() { return link_at("/proc/self") == std::to_string(::getpid()); }

void read_line(process_status& found, const std::string& key, std::istringstream& values) {
  if (key == "PPid:") {
    values >> found.parent;
  } else if (key == "Uid:") {
    values >> found.user >> found.effective_user >> found.saved_user;
  } else if (key == "CapPrm:") {
    values >> std::hex >> found.permitted;
  } else if (key == "NSpid:") {
    for (pid_t number = 0; values >> number;) found.numbers.push_back(number);
  }
}

}  // namespace

bool is_held(int pidfd) {
  // A system that forbids the call returns an error other than ESRCH.
  return ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) == 0 || errno != ESRCH;
}

std::optional<process_status> process_status::of(pid_t pid, int pidfd) {
  if (pid <= 0 || !is_proc_own()) return {};
  std::istringstream file{whole_file("/proc/" + std::to_string(pid) + "/status")};
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
  std::error_code failed;
  for (std::filesystem::directory_iterator entry{"/proc", failed}, end; !failed && entry != end;
       entry.increment(failed)) {
    const auto pid = whole_number<pid_t>(entry->path().filename().string());
    if (!pid) continue;
    const auto status = process_status::of(*pid, -1);
    if (status && status->numbers.back() == number && pid_space_of(*pid) == space) return pid;
  }
  return {};
}

}  // namespace graceful::os
