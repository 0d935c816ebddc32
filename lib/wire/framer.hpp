// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace graceful::wire {

/// Splits a stream of bytes into Varlink messages, which end with a NUL byte.
class framer {
 public:
  /// `limit`: the longest message that is taken, in bytes, without its NUL.
  explicit framer(std::size_t limit) : limit_{limit} {}

  void feed(std::string_view bytes);

  /// The next complete message; none if more bytes are needed, or after `overflowed()`.
  std::optional<std::string> next();

  /// True if a message exceeds the limit: the stream cannot be used any more.
  [[nodiscard]] bool overflowed() const;

  /// The number of bytes that wait, including complete messages.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - start_; }

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t start_ = 0;    // where the next message begins
  std::size_t scanned_ = 0;  // no NUL in [start_, scanned_)
};

}  // namespace graceful::wire
