// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service_text.hpp"

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
    text += ", " + counted(*process.connections) + " draining on " + std::to_string(process.pid);
  }
  return text;
}

std::string ending_text(std::uint64_t connections) {
  return "ends, " + counted(connections) + " left";
}

}  // namespace graceful
