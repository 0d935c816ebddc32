// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/service_text.hpp"

namespace graceful {

namespace {

std::string counted(std::uint64_t connections) {
  return std::to_string(connections) + (connections == 1 ? " connection" : " connections");
}

}  // namespace

std::string serving_text(std::uint64_t generation, const std::vector<draining_process>& others) {
  std::string text = "generation " + std::to_string(generation) + " serves";
  for (const auto& process : others) {
    if (!process.connections) continue;
    const auto pid = std::to_string(process.pid);
    text += *process.connections > 0 ? ", " + counted(*process.connections) + " draining on " + pid
                                     : ", pid " + pid + " drains";
  }
  return text;
}

std::string ending_text(std::uint64_t connections) {
  if (connections == 0) return "ends, waiting for what still runs";  // it may not track any
  return "ends, " + counted(connections) + " left";
}

}  // namespace graceful
