// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "suggestion.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace graceful::cli {

namespace {

/// No name is as long; a typed word may be, and is not compared then.
constexpr std::size_t longest_word = 64;

/// The number of letters to change, add, leave out, or swap with the next one: the
/// Damerau-Levenshtein distance, where nothing is changed twice.
std::size_t changes(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> least(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) least[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) least[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      auto& cell = least[i][j];
      cell = std::min({least[i - 1][j] + 1, least[i][j - 1] + 1, least[i - 1][j - 1] + other});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cell = std::min(cell, least[i - 2][j - 2] + 1);
    }
  }
  return least[a.size()][b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& known) {
  if (word.empty() || word.size() > longest_word) return {};
  const std::size_t most = word.size() <= 3 ? 1 : word.size() <= 6 ? 2 : 3;
  std::optional<std::string_view> best;
  std::size_t fewest = most + 1;
  for (const std::string_view candidate : known) {
    const bool begins = word.size() >= 2 && candidate.starts_with(word);
    const std::size_t count = begins ? 1 : changes(word, candidate);
    if (count < fewest) {
      fewest = count;
      best = candidate;
    }
  }
  return best;
}

}  // namespace graceful::cli
