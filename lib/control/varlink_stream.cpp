// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_stream.hpp"

#include "control/await_readable.hpp"
#include "os/channel.hpp"
#include "os/close_aside.hpp"

#include <algorithm>
#include <utility>

#include <sys/socket.h>

namespace graceful {

using kind = os::transfer::kind;

varlink_stream::varlink_stream(asio::io_context& control, unique_fd socket, wire::framer incoming,
                               events on)
    : socket_{control}, incoming_{std::move(incoming)}, on_{std::move(on)} {
  socket_.assign(asio::local::stream_protocol{}, socket.get());
  (void)socket.release();
  os::refuse_descriptors(socket_.native_handle());
}

void varlink_stream::start() {
  watch();
  tell();
}

varlink_stream::~varlink_stream() { stop(); }

void varlink_stream::stop() {
  if (!is_open()) return;
  boost::system::error_code ignored;
  os::close_connection(unique_fd{socket_.release(ignored)});
}

void varlink_stream::tell() {
  while (is_open()) {
    const auto text = incoming_.next();
    if (!text) return;
    on_.message(*text);
  }
}

bool varlink_stream::send(const wire::call& call) {
  if (!is_open()) return false;
  const auto message = wire::to_message(call);
  const auto sent = os::send_now(socket_.native_handle(), message);
  if (sent.what == kind::some && sent.bytes == message.size()) return true;
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
  return false;
}

void varlink_stream::catch_up() {
  // Reads no more than that: a peer that keeps sending must not hold up this thread.
  boost::system::error_code ec;
  auto left = is_open() ? socket_.available(ec) : 0;
  while (left > 0 && is_open() && !incoming_.overflowed()) {
    os::inbox box;
    const auto got = os::receive_now(socket_.native_handle(), box);
    os::close_aside(std::exchange(box.descriptors, {}));
    if (got.what != kind::some) return;
    left -= std::min(left, box.bytes.size());
    incoming_.feed(box.bytes);
    tell();
  }
}

void varlink_stream::watch() {
  await_readable(socket_, [self = shared_from_this()] {
    if (self->is_open()) self->on_readable();
  });
}

void varlink_stream::on_readable() {
  os::inbox box;
  const auto got = os::receive_now(socket_.native_handle(), box);
  os::close_aside(std::exchange(box.descriptors, {}));
  incoming_.feed(box.bytes);
  tell();
  if (!is_open()) return;
  const bool over = got.what == kind::closed || got.what == kind::failed || incoming_.overflowed();
  if (!over) return watch();
  stop();
  on_.end();
}

}  // namespace graceful
