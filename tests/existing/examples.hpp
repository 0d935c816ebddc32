// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "traffic.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace graceful_existing {

using traffic_start = std::function<std::unique_ptr<traffic>(std::uint16_t port)>;

/// How an example server is started, and what its clients do.
struct example {
  std::vector<std::string> arguments;  ///< {directory}: the files that it serves.
  traffic_start connecting;
  traffic_start kept{};  ///< None if the server closes first.
};

/// By name, as tests/existing/edits.py has them.
const std::map<std::string, example>& examples();

}  // namespace graceful_existing
