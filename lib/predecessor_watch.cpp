// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "predecessor_watch.hpp"

#include "wire/control_messages.hpp"
#include "wire/fields.hpp"
#include "wire/handoff_messages.hpp"

#include <utility>

namespace graceful {

predecessor_watch::predecessor_watch(asio::io_context& control, log& log, pid_t pid,
                                     unique_fd connection, outcomes on)
    : log_{log}, pid_{pid}, on_{std::move(on)} {
  stream_ = std::make_shared<varlink_stream>(
      control, std::move(connection),
      varlink_stream::events{[this](const std::string& text) { on_message(text); },
                             [this] { on_end(); }});
  stream_->start();
  // If the predecessor has gone, its end is told.
  (void)stream_->send({.method = std::string{wire::settle_method}, .parameters = {}});
}

void predecessor_watch::on_message(const std::string& text) {
  const auto reply = wire::parse_reply(text);
  if (!std::exchange(settled_, true)) return settle(reply);
  if (!reply || !reply->error.empty()) return;  // it has nothing more to say
  if (const auto progress = wire::parse_progress(reply->parameters)) on_.drains(*progress);
}

void predecessor_watch::settle(const std::optional<wire::reply>& reply) {
  if (!reply) return on_.committed();
  if (!reply->error.empty()) {
    return on_.rolled_back(wire::string_field(reply->parameters, "message").value_or(reply->error));
  }
  // It drains already, so this only watches.
  (void)stream_->send({.method = std::string{wire::drain_method}, .parameters = {}, .more = true});
  on_.committed();
}

/// Who takes the sockets back says so first. Without a word the predecessor has gone, and there is
/// nobody else who could serve.
void predecessor_watch::on_end() {
  log_.info("the predecessor (pid " + std::to_string(pid_) + ") has ended");
  on_.ended();
  if (!std::exchange(settled_, true)) on_.committed();
}

}  // namespace graceful
