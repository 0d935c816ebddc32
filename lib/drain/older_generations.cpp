// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/older_generations.hpp"

#include <algorithm>
#include <utility>

namespace graceful {

older_generations::answer older_generations::report(std::uint64_t session,
                                                    const draining_process& process,
                                                    std::uint64_t cut) {
  auto& known = by_session_[session];
  const bool was_hurried = known.process.hurried;
  known.process = process;
  known.process.hurried = was_hurried;
  const auto cut_before = std::exchange(known.cut, std::max(cut, known.cut));

  draining_process* oldest = nullptr;
  std::size_t at_leisure = 0;
  for (auto& [id, each] : by_session_) {
    if (each.process.hurried) continue;
    ++at_leisure;
    if (oldest == nullptr || each.process.generation < oldest->generation) oldest = &each.process;
  }
  std::optional<draining_process> told;
  if (at_leisure > most_) {
    oldest->hurried = true;
    told = *oldest;
  }
  return {known.process.hurried, known.cut - cut_before, told};
}

std::optional<draining_process> older_generations::closed(std::uint64_t session) {
  const auto found = by_session_.extract(session);
  if (found.empty()) return {};
  return found.mapped().process;
}

std::uint64_t older_generations::connections() const {
  std::uint64_t sum = 0;
  for (const auto& [session, each] : by_session_) sum += each.process.connections.value_or(0);
  return sum;
}

std::vector<draining_process> older_generations::all() const {
  std::vector<draining_process> processes;
  for (const auto& [session, each] : by_session_) processes.push_back(each.process);
  std::sort(processes.begin(), processes.end(),
            [](const auto& a, const auto& b) { return a.generation < b.generation; });
  return processes;
}

}  // namespace graceful
