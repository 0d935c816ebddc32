// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/deployment_impl.hpp"

#include <algorithm>
#include <map>

namespace graceful::testing {
namespace {

constexpr std::size_t reported = 16UL * 1024;  // of each process: the end says most

/// Each piece begins with its time, unless it goes on with a line.
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

}  // namespace

std::string deployment::impl::report() const {
  std::string text =
      "=== deployment of " + server->program() + " in " + scene.directory() + "\n--- processes\n";
  for (const auto& each : known.members()) {
    text += "generation " + std::to_string(each.number) + ", pid " + std::to_string(each.pid) +
            ": " + (each.end.empty() ? "lives" : each.end) + '\n';
  }
  text += "--- timeline\n" + events.to_string();
  for (auto& [pid, log] : logs_of(server->pieces_of_output(), events)) {
    if (!log.empty() && log.back() != '\n') log += '\n';
    const std::string name = known.name_of(pid);
    text += "--- output of " + name +
            (name.starts_with("pid") ? "" : ", pid " + std::to_string(pid)) + '\n' +
            log.substr(log.size() - std::min(log.size(), reported));
  }
  return text + "===\n";
}

}  // namespace graceful::testing
