// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "older_generations.hpp"

#include <algorithm>
#include <utility>

namespace graceful {

std::optional<draining_process> older_generations::report(std::uint64_t session,
                                                          const draining_process& process) {
  auto& known = by_session_[session];
  const bool was_hurried = known.hurried;
  known = process;
  known.hurried = was_hurried;
  draining_process* oldest = nullptr;
  std::size_t at_leisure = 0;
  for (auto& [id, each] : by_session_) {
    if (each.hurried) continue;
    ++at_leisure;
    if (oldest == nullptr || each.generation < oldest->generation) oldest = &each;
  }
  if (at_leisure <= most_) return {};
  oldest->hurried = true;
  return *oldest;
}

std::uint64_t older_generations::newly_cut(std::uint64_t session, std::uint64_t cut) {
  const auto before = std::exchange(cut_[session], cut);
  return cut > before ? cut - before : 0;
}

bool older_generations::hurried(std::uint64_t session) const {
  const auto found = by_session_.find(session);
  return found != by_session_.end() && found->second.hurried;
}

std::optional<draining_process> older_generations::closed(std::uint64_t session) {
  const auto found = by_session_.find(session);
  if (found == by_session_.end()) return {};
  const auto ended = found->second;
  cut_.erase(session);
  by_session_.erase(found);
  return ended;
}

std::uint64_t older_generations::connections() const {
  std::uint64_t sum = 0;
  for (const auto& [session, process] : by_session_) sum += process.connections.value_or(0);
  return sum;
}

std::vector<draining_process> older_generations::all() const {
  std::vector<draining_process> processes;
  for (const auto& [session, process] : by_session_) processes.push_back(process);
  std::sort(processes.begin(), processes.end(),
            [](const auto& a, const auto& b) { return a.generation < b.generation; });
  return processes;
}

}  // namespace graceful
