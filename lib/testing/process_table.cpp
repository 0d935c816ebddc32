// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/process_table.hpp"

#include <graceful/testing/deadline.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

// From linux/sched.h, which user programs cannot include; proc_pid_stat(5) shows the flags.
constexpr unsigned long being_ended = 0x4;         // PF_EXITING: set before the memory is released
constexpr unsigned long of_the_kernel = 0x200000;  // PF_KTHREAD

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::system_category(), what};
}

/// None if it does not exist, or cannot be read.
std::optional<std::string> content_of(const std::string& path) {
  const graceful::unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) fail(path);
    return {};
  }
  std::string content;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t size = ::read(file.get(), chunk.data(), chunk.size());
    if (size > 0) content.append(chunk.data(), static_cast<std::size_t>(size));
    if (size == 0) return content;
    if (size < 0 && errno == ENOMEM) fail(path);
    if (size < 0 && errno != EINTR) return {};  // ESRCH: the process has ended meanwhile
  }
}

/// The fields of proc_pid_stat(5), by their numbers, from 3 (the state) on.
class stat_fields {
 public:
  explicit stat_fields(const std::string& text) {
    // The name is in parentheses, and may itself contain any, as well as spaces.
    const auto end_of_name = text.rfind(')');
    if (end_of_name != text.npos) from_state_on_ = text.substr(end_of_name + 2);
  }
  explicit operator bool() const { return !from_state_on_.empty(); }
  [[nodiscard]] char state() const { return from_state_on_.at(0); }
  [[nodiscard]] unsigned long number(int field) const {
    std::size_t at = 0;
    for (int before = 3; before < field; ++before) at = from_state_on_.find(' ', at) + 1;
    return std::stoul(from_state_on_.substr(at));
  }
  [[nodiscard]] bool has_flag(unsigned long flag) const { return (number(9) & flag) != 0; }

 private:
  std::string from_state_on_;
};

/// True if the environment may be read but is not set up yet (field 51, env_end).
bool is_executing(pid_t pid) {
  const stat_fields stat{content_of(directory_of(pid) + "/stat").value_or("")};
  return stat && !stat.has_flag(being_ended) && !stat.has_flag(of_the_kernel) &&
         stat.number(51) == 0;
}

std::vector<std::string> threads_of(pid_t pid) {
  std::vector<std::string> threads;
  std::error_code error;
  std::filesystem::directory_iterator each{directory_of(pid) + "/task", error};
  for (; !error && each != std::filesystem::directory_iterator{}; each.increment(error)) {
    threads.push_back(each->path());
  }
  if (error == std::errc::too_many_files_open || error == std::errc::not_enough_memory ||
      error == std::errc::too_many_files_open_in_system) {
    throw std::system_error{error, directory_of(pid)};
  }
  return threads;
}

}  // namespace

std::string directory_of(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::vector<process_entry> process_table() {
  std::vector<process_entry> table;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    if (const auto process = process_entry_of(std::stoi(name))) table.push_back(*process);
  }
  return table;
}

std::optional<process_entry> process_entry_of(pid_t pid) {
  const stat_fields stat{content_of(directory_of(pid) + "/stat").value_or("")};
  if (!stat) return {};  // it has ended meanwhile
  return process_entry{.pid = pid,
                       .parent = static_cast<pid_t>(stat.number(4)),
                       .state = stat.state(),
                       .start_time = stat.number(22)};
}

std::string environment_of(pid_t pid) {
  const deadline until{std::chrono::seconds{1}};
  for (;;) {
    const auto environment = content_of(directory_of(pid) + "/environ");
    if (!environment || !environment->empty()) return environment.value_or("");
    if (until.passed() || !is_executing(pid)) break;
    ::poll(nullptr, 0, 1);  // no event reports it
  }
  // The first thread may have ended, and its entry shows nothing then; the process lives on in
  // others.
  for (const std::string& thread : threads_of(pid)) {
    std::string environment = content_of(thread + "/environ").value_or("");
    if (!environment.empty()) return environment;
  }
  return {};
}

bool is_exiting(pid_t pid) {
  const auto threads = threads_of(pid);
  return std::all_of(threads.begin(), threads.end(), [](const std::string& thread) {
    const stat_fields stat{content_of(thread + "/stat").value_or("")};
    return !stat || stat.has_flag(being_ended);
  });
}

// Called by number: <sys/pidfd.h> of glibc 2.36 lacks extern "C".
graceful::unique_fd open_pidfd(pid_t pid) {
  graceful::unique_fd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  // EINVAL: by now the pid is the number of a thread in another process.
  if (!pidfd && errno == EINVAL) errno = ESRCH;
  return pidfd;
}

bool send_signal(const graceful::unique_fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

}  // namespace graceful::testing
