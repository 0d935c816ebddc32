// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "log.hpp"

#include <unistd.h>

namespace graceful {

void log::write(log_level level, const std::string& message) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    if (sink_) return sink_(level, message);
    if (level == log_level::debug) return;
    // One write(2), so that the lines of two processes do not mix.
    const std::string line = "graceful[" + std::to_string(::getpid()) + "]: " + message + '\n';
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
  } catch (...) {
    // A log that fails must not end an upgrade.
  }
}

}  // namespace graceful
