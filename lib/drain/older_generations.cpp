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

  const auto hurries = [](const auto& each) { return each.second.process.hurried; };
  const auto hurried = std::ranges::count_if(by_session_, hurries);
  std::optional<draining_process> told;
  if (by_session_.size() - static_cast<std::size_t>(hurried) > most_) {
    const auto oldest = std::ranges::min_element(by_session_, {}, [&](const auto& each) {
      return std::pair{hurries(each), each.second.process.generation};
    });
    oldest->second.process.hurried = true;
    told = oldest->second.process;
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
  std::ranges::sort(processes, {}, &draining_process::generation);
  return processes;
}

}  // namespace graceful
