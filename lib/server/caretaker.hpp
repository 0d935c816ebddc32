// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVER_CARETAKER_HPP
#define GRACEFUL_SERVER_CARETAKER_HPP

#include "drain/connections.hpp"
#include "listen/foreign_acceptor.hpp"
#include "listen/inventory.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace graceful {

namespace asio = boost::asio;

/// The acceptors that the application owns. Thread-safe.
class plain_acceptors {
 public:
  void add(std::shared_ptr<foreign_acceptor> acceptor);
  [[nodiscard]] std::vector<std::shared_ptr<foreign_acceptor>> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<foreign_acceptor>> all_;
};

/// Looks after the acceptors that the application owns, which tell nobody what becomes of them. One
/// that was closed is withdrawn. In the end those who accept are left alone until the last client
/// has gone, whoever tracks it or not; then their loops are ended, and what keeps the process
/// running all the same (loops that go on after any error, signal sets, timers) is stopped. Lives
/// on the control thread.
class caretaker {
 public:
  struct surroundings {
    log& messages;
    inventory& sockets;
    const plain_acceptors& acceptors;
    const connections& tracked;
    std::function<void()> stop_context;  ///< Empty: there is none that is known.
  };

  /// `linger`: for how long nobody is to be served, and nothing to happen, before it stops.
  caretaker(asio::io_context& control, surroundings around, std::chrono::milliseconds linger);

  /// This process serves, and there may be other acceptors than before.
  void look_after();

  /// This process accepts no more.
  void see_off();

  /// Waits for no client any more.
  void hurry();

  void stop();

 private:
  void look_for_closed();
  void see_off_next();
  void look_again(std::chrono::steady_clock::duration pause);
  [[nodiscard]] bool anybody_served() const;
  bool is_quiet();
  void end();

  const surroundings around_;
  const std::chrono::milliseconds linger_;
  asio::steady_timer timer_;
  bool looks_after_ = false;
  bool sees_off_ = false;
  bool hurried_ = false;
  std::chrono::steady_clock::time_point began_;
  std::chrono::nanoseconds processor_time_{};  // of the application, at the last look
  std::optional<std::chrono::steady_clock::time_point> quiet_since_;
};

}  // namespace graceful

#endif
