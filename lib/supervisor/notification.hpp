// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_NOTIFICATION_HPP
#define GRACEFUL_SUPERVISOR_NOTIFICATION_HPP

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace graceful::supervision {

/// Longest datagram that is looked at: as much as systemd takes.
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
  bool went_back = false;     ///< A successor that does not serve after all, and drains.
  std::string name{unnamed};  ///< Of what is stored or removed.
  std::optional<std::string> status{};
  std::optional<pid_t> main_pid{};
  std::optional<std::chrono::microseconds> extension{};  ///< At most a day.
};

/// None if it is too long, or no text. What is unknown, or has a value that makes no sense, is left
/// out; of two lines with the same key the first counts.
std::optional<notification> parse_notification(std::string_view datagram);

/// Whether a descriptor can be called that: ASCII without control characters and ':', at most 255
/// bytes, and not empty.
bool is_descriptor_name(std::string_view name);

}  // namespace graceful::supervision

#endif
