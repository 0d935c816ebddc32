// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/report.hpp"

#include <algorithm>
#include <map>

#include <sys/types.h>

namespace graceful::testing {
namespace {

/// Each piece begins with its time, unless it continues a line.
std::map<pid_t, std::string> logs_of(const std::vector<output_piece>& pieces,
                                     const timeline& times) {
  std::map<pid_t, std::string> logs;
  for (const output_piece& piece : pieces) {
    std::string& log = logs[piece.pid];
    for (std::size_t at = 0; at < piece.text.size();) {
      const auto end = std::min(piece.text.find('\n', at), piece.text.size() - 1) + 1;
      if (log.empty() || log.back() == '\n') log += times.offset(piece.when) + "  ";
      log += piece.text.substr(at, end - at);
      at = end;
    }
  }
  return logs;
}

std::string end_of(const std::string& log) {
  if (log.size() <= reported_output) return log;
  const auto newline = log.find('\n', log.size() - reported_output - 1);
  return newline + 1 < log.size() ? log.substr(newline + 1)
                                  : log.substr(log.size() - reported_output);  // one long line
}

std::string title_of(const generations::member& each) {
  return "generation " + std::to_string(each.number) + ", pid " + std::to_string(each.pid);
}

}  // namespace

std::string report_of(const std::string& title, const std::vector<generations::member>& processes,
                      const timeline& events, const std::vector<output_piece>& outputs) {
  std::string text = "=== " + title + "\n--- processes\n";
  std::map<pid_t, std::string> titles;
  for (const auto& each : processes) {
    titles[each.pid] = title_of(each);
    text += title_of(each) + ": " + (each.end.empty() ? "lives" : each.end) + '\n';
  }
  text += "--- timeline\n" + events.to_string();
  for (auto& [pid, log] : logs_of(outputs, events)) {
    if (!log.empty() && log.back() != '\n') log += '\n';
    const auto known = titles.find(pid);
    text += "--- output of " +
            (known != titles.end() ? known->second : "pid " + std::to_string(pid)) + '\n' +
            end_of(log);
  }
  return text + "===\n";
}

}  // namespace graceful::testing
