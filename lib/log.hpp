// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_LOG_HPP
#define GRACEFUL_LIB_LOG_HPP

#include <graceful/options.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace graceful {

/// Passes messages to the user's log function, or to standard error. Thread-safe.
class log {
 public:
  explicit log(std::function<void(log_level, std::string_view)> sink) : sink_{std::move(sink)} {}

  void error(const std::string& message) { write(log_level::error, message); }
  void warning(const std::string& message) { write(log_level::warning, message); }
  void info(const std::string& message) { write(log_level::info, message); }
  void debug(const std::string& message) { write(log_level::debug, message); }

 private:
  void write(log_level level, const std::string& message) noexcept;

  std::mutex mutex_;
  std::function<void(log_level, std::string_view)> sink_;
};

}  // namespace graceful

#endif
