// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "processor_time.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <unistd.h>

namespace graceful_existing {
namespace {

/// The ticks that a process has run, with all its threads; 0 if it has gone.
double ticks_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  std::getline(file, line);
  // The name, in parentheses, may contain anything. utime is the 12th field after it, see proc(5).
  const auto name_end = line.rfind(')');
  if (name_end == line.npos) return 0;
  std::istringstream fields{line.substr(name_end + 1)};
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return user + system;
}

}  // namespace

double percent_of_a_core(const std::vector<pid_t>& processes, std::chrono::milliseconds window) {
  using seconds = std::chrono::duration<double>;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<double> before;
  for (const pid_t process : processes) before.push_back(ticks_of(process));
  std::this_thread::sleep_for(window);  // the time that is measured, not a wait for an event
  double ticks = 0;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    ticks += std::max(ticks_of(processes[i]) - before[i], 0.0);  // it may have ended meanwhile
  }
  const seconds used{ticks / static_cast<double>(::sysconf(_SC_CLK_TCK))};
  return 100 * used / seconds{std::chrono::steady_clock::now() - begin};
}

}  // namespace graceful_existing
