// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/options.hpp>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace graceful {

/// Passes messages to the user's log function, or to standard error. Thread-safe.
class log {
 public:
  explicit log(std::function<void(log_level, std::string_view)> sink,
               log_level threshold = log_level::info);

  void error(const std::string& message) { write(log_level::error, message); }
  void warning(const std::string& message) { write(log_level::warning, message); }
  void info(const std::string& message) { write(log_level::info, message); }

  void write(log_level level, const std::string& message) noexcept;

 private:
  std::mutex mutex_;
  const std::function<void(log_level, std::string_view)> sink_;
  const log_level threshold_;
  const std::string journal_stream_;  // JOURNAL_STREAM, read once: others may set variables later
};

namespace os {

/// Whether `fd` is the stream to the journal that JOURNAL_STREAM=`variable` names. The variable
/// alone proves nothing: processes whose output was redirected inherit it too, see systemd.exec(5).
bool is_journal_stream(int fd, std::string_view variable);

}  // namespace os

/// Makes sure that one thread at a time calls the log function, although several objects use it.
options with_safe_log(options opts);

}  // namespace graceful
