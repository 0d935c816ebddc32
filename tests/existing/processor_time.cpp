// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "processor_time.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <unistd.h>

namespace graceful_existing {
namespace {

/// Ticks that a process has run, with all its threads; 0 if it has gone.
double ticks_of(pid_t process) {
  std::ifstream file{"/proc/" + std::to_string(process) + "/stat"};
  std::string line;
  std::getline(file, line);
  // The name, in parentheses, may contain anything. utime is the 12th field behind it, see proc(5).
  const auto name_end = line.rfind(')');
  if (name_end == line.npos) return 0;
  std::istringstream fields{line.substr(name_end + 1)};
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return user + system;
}

double ticks_of(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t process : processes) sum += ticks_of(process);
  return sum;
}

}  // namespace

double percent_of_a_core(const std::vector<pid_t>& processes, std::chrono::milliseconds window) {
  using seconds = std::chrono::duration<double>;
  const auto begin = std::chrono::steady_clock::now();
  const double before = ticks_of(processes);
  std::this_thread::sleep_for(window);  // not to wait for anything: this is what is measured
  const seconds used{(ticks_of(processes) - before) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
  return 100 * used / seconds{std::chrono::steady_clock::now() - begin};
}

}  // namespace graceful_existing
