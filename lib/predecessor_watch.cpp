// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "predecessor_watch.hpp"

#include "os/channel.hpp"
#include "wire/fields.hpp"
#include "wire/handoff_messages.hpp"

#include <utility>

namespace graceful {

namespace {

using kind = os::transfer::kind;

}  // namespace

predecessor_watch::predecessor_watch(asio::io_context& control, log& log, pid_t pid,
                                     unique_fd connection, outcomes on)
    : log_{log},
      pid_{pid},
      connection_{control},
      incoming_{wire::max_reply_size},
      on_{std::move(on)} {
  connection_.assign(asio::local::stream_protocol{}, connection.get());
  (void)connection.release();
  const wire::call settle{.method = std::string{wire::settle_method}, .parameters = {}};
  // Fits into the empty buffer; if the predecessor is gone, the wait that follows finds out.
  (void)os::send_now(connection_.native_handle(), wire::to_message(settle));
  watch();
}

void predecessor_watch::watch() {
  connection_.async_wait(connection_.wait_read, [this](boost::system::error_code ec) {
    if (!ec) on_readable();
  });
}

void predecessor_watch::on_readable() {
  os::inbox box;
  const auto got = os::receive_now(connection_.native_handle(), box);
  if (got.what == kind::would_block) return watch();
  if (got.what != kind::some) return on_end();
  incoming_.feed(box.bytes);
  while (const auto message = incoming_.next()) settle(*message);
  if (incoming_.overflowed()) return on_end();
  watch();
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
  boost::system::error_code ignored;
  connection_.close(ignored);
  log_.info("the predecessor (pid " + std::to_string(pid_) + ") has ended");
  if (!std::exchange(settled_, true)) on_.committed();
}

}  // namespace graceful
