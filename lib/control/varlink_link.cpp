// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_link.hpp"

#include "control/await.hpp"
#include "control/varlink_connection.hpp"
#include "os/close_aside.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <sys/socket.h>

namespace graceful {

using kind = os::transfer::kind;

varlink_link::varlink_link(asio::io_context& control, callbacks on)
    : control_{control}, callbacks_{std::move(on)}, socket_{std::make_shared<socket>(control)} {}

/// connect(2) to a Unix socket succeeds at once, or fails if the queue is full.
result<void> varlink_link::connect(const std::string& path) {
  if (is_open()) return {};
  auto made = varlink_connection::connect(path, std::chrono::steady_clock::now());
  if (!made) return made.error();
  auto [connected, incoming] = made->release();
  use(std::move(connected), std::move(incoming));
  start();
  callbacks_.connected();
  return {};
}

void varlink_link::use(unique_fd connected, wire::framer incoming) {
  close();
  socket_ = std::make_shared<socket>(control_);
  socket_->assign(asio::local::stream_protocol{}, connected.get());
  (void)connected.release();
  os::refuse_descriptors(socket_->native_handle());
  incoming_ = std::move(incoming);
}

void varlink_link::start() {
  watch();
  tell();
}

void varlink_link::close() {
  boost::system::error_code ignored;
  if (is_open()) os::close_connection(unique_fd{socket_->release(ignored)});
}

/// A callback may close the connection, or make another one.
void varlink_link::tell() {
  for (const auto current = socket_; current->is_open();) {
    const auto text = incoming_.next();
    if (!text) return;
    callbacks_.reply(wire::parse_reply(*text));
  }
}

bool varlink_link::send(const wire::call& call) {
  if (!is_open()) return false;
  const auto message = wire::to_message(call);
  const auto sent = os::send_now(socket_->native_handle(), message);
  if (sent.what == kind::some && sent.bytes == message.size()) return true;
  ::shutdown(socket_->native_handle(), SHUT_RDWR);
  return false;
}

void varlink_link::catch_up() {
  // Reads no more than that: a peer that keeps sending must not hold up this thread.
  boost::system::error_code ec;
  const auto current = socket_;
  auto left = current->is_open() ? current->available(ec) : 0;
  while (left > 0 && current->is_open() && !incoming_.overflowed()) {
    const auto got = take_in();
    if (got.what != kind::some) return;
    left -= std::min(left, got.bytes);
  }
}

/// The object outlives an open connection.
void varlink_link::watch() {
  await_readable(*socket_, [this, current = socket_] {
    if (current->is_open()) on_readable();
  });
}

void varlink_link::on_readable() {
  const auto current = socket_;
  const auto got = take_in();
  if (!current->is_open()) return;
  const bool over = got.what == kind::closed || got.what == kind::failed || incoming_.overflowed();
  if (!over) return watch();
  close();
  callbacks_.end();
}

/// Reads once, and reports what has come.
os::transfer varlink_link::take_in() {
  os::inbox box;
  const auto got = os::receive_now(socket_->native_handle(), box);
  os::close_aside(std::move(box.descriptors));
  incoming_.feed(box.bytes);
  tell();
  return got;
}

}  // namespace graceful
