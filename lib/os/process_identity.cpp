// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_identity.hpp"

#include <array>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace graceful::os {

std::optional<process_identity> process_identity::of(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  if (pid <= 0 || !std::getline(file, text, '\0')) return {};
  // The name is in parentheses, and may have any of them in it.
  const auto name_end = text.rfind(')');
  if (name_end == text.npos) return {};
  std::istringstream fields{text.substr(name_end + 1)};
  std::string field;
  process_identity found{.pid = pid, .started = 0, .space = {}};
  constexpr int state = 3;
  constexpr int start_time = 22;
  for (int number = state; number < start_time && fields >> field; ++number) {
    if (number == state && (field == "Z" || field == "X")) return {};
  }
  if (!(fields >> found.started)) return {};
  std::array<char, 64> space{};
  const auto length = ::readlink("/proc/self/ns/pid", space.data(), space.size());
  if (length > 0) found.space.assign(space.data(), static_cast<std::size_t>(length));
  return found;
}

}  // namespace graceful::os
