// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "predecessor_watch.hpp"

#include "wire/fields.hpp"
#include "wire/handoff_messages.hpp"

#include <utility>

namespace graceful {

predecessor_watch::predecessor_watch(asio::io_context& control, log& log, pid_t pid,
                                     unique_fd connection, outcomes on)
    : log_{log}, pid_{pid}, on_{std::move(on)} {
  stream_ = std::make_shared<varlink_stream>(
      control, std::move(connection),
      varlink_stream::events{[this](const std::string& text) { settle(text); },
                             [this] { on_end(); }});
  stream_->start();
  // If the predecessor has gone, its end is told.
  (void)stream_->send({.method = std::string{wire::settle_method}, .parameters = {}});
}

void predecessor_watch::settle(const std::string& message) {
  if (std::exchange(settled_, true)) return;  // it has nothing more to say
  const auto reply = wire::parse_reply(message);
  if (!reply || reply->error.empty()) return on_.committed();
  on_.rolled_back(wire::string_field(reply->parameters, "message").value_or(reply->error));
}

/// Who takes the sockets back says so first. Without a word the predecessor has gone, and there is
/// nobody else who could serve.
void predecessor_watch::on_end() {
  log_.info("the predecessor (pid " + std::to_string(pid_) + ") has ended");
  if (!std::exchange(settled_, true)) on_.committed();
}

}  // namespace graceful
