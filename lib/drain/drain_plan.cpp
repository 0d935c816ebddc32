// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain_plan.hpp"

#include <algorithm>
#include <cstddef>

namespace graceful::handoff {

void drain_plan::begin(time now, const std::vector<connection_id>& open) {
  if (begun()) return;
  deadline_ = now + limits_.timeout;
  // Clients that lose their connections reconnect: this spreads them over time.
  const auto last = std::max<std::size_t>(open.size(), 2) - 1;
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto share = static_cast<double>(i) / static_cast<double>(last);
    const auto told = now + std::chrono::duration_cast<time::duration>(limits_.spread * share);
    agenda_.emplace(told, due{open[i], due::kind::draining});
    add(told, open[i]);
  }
}

void drain_plan::add(time now, connection_id connection) {
  agenda_.emplace(now + limits_.idle_grace, due{connection, due::kind::idle_grace_over});
}

void drain_plan::hurry(time now) {
  if (deadline_) deadline_ = std::min(*deadline_, now);
}

std::vector<drain_plan::due> drain_plan::take(time now) {
  std::vector<due> dues;
  const auto end = agenda_.upper_bound(now);
  for (auto item = agenda_.begin(); item != end; ++item) dues.push_back(item->second);
  agenda_.erase(agenda_.begin(), end);
  over_ = expired(now);
  return dues;
}

std::optional<drain_plan::time> drain_plan::next() const {
  if (!deadline_ || over_) return {};
  return agenda_.empty() ? *deadline_ : std::min(agenda_.begin()->first, *deadline_);
}

}  // namespace graceful::handoff
