// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "drain/drain_reporter.hpp"

#include "wire/handoff_messages.hpp"

#include <utility>

namespace graceful {

drain_reporter::drain_reporter(asio::io_context& control, std::string path,
                               std::function<void()> hurry)
    : hurry_{std::move(hurry)}, link_{control, std::move(path), [this](const wire::reply& reply) {
                                        on_reply(reply);
                                      }} {}

void drain_reporter::report(wire::report now) {
  const auto connection = link_.connected();
  if (connection == 0) return;
  if (std::exchange(connection_, connection) != connection) cut_before_ = cut_heard_;
  cut_said_ = now.cut;
  now.cut -= cut_before_;
  (void)link_.call(wire::to_call(now));
}

void drain_reporter::on_reply(const wire::reply& reply) {
  const auto answer = wire::parse<wire::reported>(reply.parameters);
  if (!answer) return;
  cut_heard_ = cut_said_;
  if (!answer->hurry) return;
  if (const auto hurry = std::exchange(hurry_, {})) hurry();
}

}  // namespace graceful
