// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "listen/inventory.hpp"
#include "os/log.hpp"
#include "os/service_manager.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace graceful {

namespace asio = boost::asio;

/// Sends messages to the service manager in order, however slowly it reads. Only a process that
/// ends waits for that. Lives on the control thread.
class notifier {
 public:
  notifier(asio::io_context& control, log& log, std::shared_ptr<const os::service_manager> to)
      : log_{log}, to_{std::move(to)}, again_{control} {}

  /// Sends `socket`, if there is one, with the message, and holds it until then.
  void say(std::string assignments, std::shared_ptr<const listening_socket> socket = {}) {
    send({.text = std::move(assignments), .socket = std::move(socket)});
  }

  /// Keeps the message while the manager's socket is missing: the manager is expected to put it
  /// back.
  void insist(std::string assignments) { send({.text = std::move(assignments), .insists = true}); }

  /// Only the last of several such messages matters.
  void say_status(const std::string& text);

  /// Makes `finish` wait until the manager has processed everything up to here, or is gone. A
  /// process that ends earlier may be gone before the manager knows who wrote.
  void barrier();

  /// Sends what is left and waits until the manager has taken it, and has reached the barrier if
  /// there is one. Waits for `patience` at most.
  void finish(std::chrono::milliseconds patience);

 private:
  struct message {
    std::string text;
    bool status = false;
    std::shared_ptr<const listening_socket> socket{};
    unique_fd barrier{};  // the manager's end
    bool insists = false;
  };

  void send(message m);
  void pump();
  [[nodiscard]] bool send_all();

  log& log_;
  const std::shared_ptr<const os::service_manager> to_;
  std::deque<message> queue_;
  asio::steady_timer again_;
  bool waiting_ = false;
  bool deaf_ = false;  // and the log has said so
  unique_fd through_;  // readable (end of file) when the manager has reached the barrier
};

}  // namespace graceful
