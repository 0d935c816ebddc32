// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/process_table.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace graceful::testing {
namespace {

std::string content_of(const std::filesystem::path& file) {
  // A process that ends meanwhile makes read(2) fail with ESRCH, which a bare iterator would throw.
  std::ostringstream content;
  content << std::ifstream{file, std::ios::binary}.rdbuf();
  return content.str();
}

}  // namespace

std::vector<process_entry> process_table() {
  std::vector<process_entry> table;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    const std::string stat = content_of(entry.path() / "stat");
    // The name, in parentheses, may contain anything, parentheses included.
    const auto end_of_name = stat.rfind(')');
    if (end_of_name == stat.npos) continue;  // it has gone meanwhile
    process_entry process{.pid = std::stoi(name), .parent = 0, .state = 0};
    std::istringstream{stat.substr(end_of_name + 1)} >> process.state >> process.parent;
    table.push_back(process);
  }
  return table;
}

std::string environment_of(pid_t pid) {
  return content_of("/proc/" + std::to_string(pid) + "/environ");
}

// By number: <sys/pidfd.h> of glibc 2.36 lacks extern "C".
graceful::unique_fd open_pidfd(pid_t pid) {
  return graceful::unique_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
}

bool send_signal(const graceful::unique_fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

}  // namespace graceful::testing
