// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace graceful::cli {

/// What the user may have meant by `word`: the candidate that takes the fewest changes of a letter,
/// or begins with it. None if all are too different.
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& known);

}  // namespace graceful::cli
