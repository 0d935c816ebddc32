// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace graceful::supervision {

/// The longest datagram that is accepted: as much as systemd takes.
inline constexpr std::size_t max_notification = 4096;

/// The name of a descriptor that was stored without one: sd_notify(3).
inline constexpr std::string_view unnamed = "stored";

/// What a server says to its supervisor, see sd_notify(3).
struct notification {
  bool ready = false;
  bool reloading = false;
  bool stopping = false;
  bool barrier = false;
  bool store = false;
  bool remove = false;
  bool went_back = false;     ///< A successor that was rolled back, and drains.
  std::string name{unnamed};  ///< Of the descriptor that is stored or removed.
  std::optional<std::string> status{};
  std::optional<pid_t> main_pid{};
  std::optional<std::chrono::microseconds> extension{};  ///< At most one day.
};

/// None if the datagram is too long, or not text. Ignores unknown keys and senseless values; of two
/// lines with the same key, the first counts.
std::optional<notification> parse_notification(std::string_view datagram);

/// Whether a descriptor can have this name: ASCII without control characters and ':', 1 to 255
/// bytes.
bool is_descriptor_name(std::string_view name);

}  // namespace graceful::supervision
