// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_link.hpp"

#include "control/varlink_connection.hpp"

#include <chrono>
#include <utility>

namespace graceful {

control_link::control_link(asio::io_context& control, std::string path, reply_handler on_reply)
    : control_{control}, path_{std::move(path)}, on_reply_{std::move(on_reply)} {}

bool control_link::call(const wire::call& call) { return connected() != 0 && stream_->send(call); }

std::uint64_t control_link::connected() {
  return (stream_ && stream_->is_open()) || connect() ? connections_ : 0;
}

/// connect(2) to a Unix socket succeeds at once, or fails if the queue is full.
bool control_link::connect() {
  auto made = varlink_connection::connect(path_, std::chrono::steady_clock::now());
  if (!made) return false;
  stream_ = std::make_shared<varlink_stream>(
      control_, made->release().first, wire::framer{wire::max_reply_size},
      varlink_stream::events{[this](const std::string& text) {
                               if (const auto reply = wire::parse_reply(text)) on_reply_(*reply);
                             },
                             [] {}});
  stream_->start();
  ++connections_;
  return true;
}

}  // namespace graceful
