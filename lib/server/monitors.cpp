// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/monitors.hpp"

#include "wire/control_messages.hpp"

#include <chrono>
#include <utility>

#include <unistd.h>

namespace graceful {

namespace {

/// Half of the connections; the others are for callers that give orders, and for successors.
constexpr std::size_t max_monitors = 32;

}  // namespace

void monitors::add(control_session& from, const std::string& first) {
  forget_closed();
  if (sessions_.size() >= max_monitors) {
    return from.reply(wire::to_error(
        wire::busy_error, std::to_string(max_monitors) +
                              " Monitor calls are under way, and no more are taken; end one"));
  }
  sessions_.push_back(from.weak_from_this());
  from.reply(to_reply("watching", first));
}

void monitors::tell(const std::string& event, const std::string& message) {
  forget_closed();
  const auto reply = to_reply(event, message);
  const auto sessions = sessions_;
  for (const auto& each : sessions) {
    if (const auto session = each.lock()) session->reply(reply);
  }
}

void monitors::conclude(const std::string& event, const std::string& message) {
  auto last = to_reply(event, message);
  last.continues = false;
  for (const auto& each : std::exchange(sessions_, {})) {
    if (const auto session = each.lock()) session->reply(last);
  }
}

void monitors::forget_closed() {
  std::erase_if(sessions_, [](const auto& session) { return session.expired(); });
}

wire::reply monitors::to_reply(const std::string& event, const std::string& message) const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto reply = wire::to_reply(
      server_event{.event = event,
                   .message = message,
                   .generation = generation_,
                   .pid = ::getpid(),
                   .time = std::chrono::duration_cast<std::chrono::milliseconds>(now)});
  reply.continues = true;
  return reply;
}

}  // namespace graceful
