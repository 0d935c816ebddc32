// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "last_call.hpp"

#include <utility>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

/// How long a handshake may be under way that began before the sockets were sealed. The kernel does
/// not say whether there is one: a round trip around the world, about.
constexpr std::chrono::milliseconds handshake_time{300};

constexpr std::chrono::milliseconds look_interval{5};

}  // namespace

void last_call::begin() {
  inventory_.seal();
  earliest_ = clock::now() + handshake_time;
  look();
}

void last_call::end() {
  timer_.cancel();
  if (auto done = std::exchange(done_, {})) done();
}

void last_call::look() {
  if (clock::now() >= earliest_ && inventory_.queues_empty()) return end();
  timer_.expires_after(look_interval);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && done_) look();
  });
}

}  // namespace graceful
