// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/framer.hpp"

namespace graceful::wire {

void framer::feed(std::string_view bytes) {
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = scanned_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string> framer::next() {
  const auto end = buffer_.find('\0', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  if (end - start_ > limit_) {
    scanned_ = end;  // overflowed() and every later call find it again
    return std::nullopt;
  }
  std::string message = buffer_.substr(start_, end - start_);
  start_ = scanned_ = end + 1;
  // Discard what is consumed, so that pipelined messages do not make the buffer grow without bound.
  if (start_ > limit_) {
    buffer_.erase(0, start_);
    start_ = scanned_ = 0;
  }
  return message;
}

bool framer::overflowed() const { return scanned_ - start_ > limit_; }

}  // namespace graceful::wire
