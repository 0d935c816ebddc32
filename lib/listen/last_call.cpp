// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/last_call.hpp"

#include <string>
#include <utility>

namespace graceful {

namespace {

using clock = std::chrono::steady_clock;

/// How long a handshake may take that began before the sockets were sealed. The kernel does not
/// tell whether there is one, so this is about a round trip around the world.
constexpr std::chrono::milliseconds handshake_time{300};

constexpr std::chrono::milliseconds look_interval{5};

/// How long a queue may stay unchanged before it counts as abandoned: the loop has ended, or the
/// application has closed its acceptor.
constexpr std::chrono::seconds abandoned_after{3};

}  // namespace

void last_call::begin() {
  for (const auto& refused : inventory_.seal()) {
    log_.warning("a client that connects in the last moment is reset (" + refused +
                 "); CAP_NET_ADMIN makes the difference");
  }
  earliest_ = clock::now() + handshake_time;
  changed_ = clock::now();
  look();
}

void last_call::end() {
  timer_.cancel();
  farewell_.stop();
  if (auto done = std::exchange(done_, {})) done();
}

void last_call::look() {
  const auto now = clock::now();
  const auto waiting = inventory_.queued();
  if (now >= earliest_ && waiting == 0 && farewell_.over()) return end();
  if (waiting != waiting_ || waiting == 0 || inventory_.somebody_waits()) {
    waiting_ = waiting;
    changed_ = now;
  } else if (now >= earliest_ && now - changed_ >= abandoned_after) {
    if (!bid_farewell(waiting)) return end();
  }
  timer_.expires_after(look_interval);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec && done_) look();
  });
}

/// False if there was nobody to tell.
bool last_call::bid_farewell(std::uint64_t waiting) {
  std::size_t told = 0;
  for (const auto& socket : inventory_.sockets()) told += farewell_.bid(socket->fd.get());
  log_.warning("nobody accepts any more, but " + std::to_string(waiting) +
               (waiting == 1 ? " connection waits" : " connections wait") +
               " in the accept queues: closed without an answer" +
               (told < waiting ? ", " + std::to_string(waiting - told) +
                                     " of them by a reset, since no descriptor is free"
                               : std::string{}));
  return told > 0;
}

}  // namespace graceful
