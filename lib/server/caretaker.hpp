// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "drain/connections.hpp"
#include "listen/foreign_acceptor.hpp"
#include "listen/inventory.hpp"
#include "os/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace graceful {

namespace asio = boost::asio;

/// Looks after the plain acceptors, which the application owns, and which do not tell us what
/// happens to them. Withdraws those that were closed. At the end it leaves the accept loops alone
/// until the last client has gone, tracked or not. Then it ends the loops, and stops what still
/// keeps the process running (loops that go on after any error, signal sets, timers). Lives on the
/// control thread.
class caretaker {
 public:
  struct callbacks {
    std::function<void()> stop_context;  ///< Empty: none is known besides those of the acceptors.
  };

  /// `linger`: how long there must be no client and no activity before the context is stopped.
  caretaker(asio::io_context& control, log& log, inventory& sockets, const connections& tracked,
            std::chrono::milliseconds linger, callbacks on);

  /// Looks after this one too. Thread-safe.
  void add(std::shared_ptr<foreign_acceptor> acceptor);

  /// This process serves, and the set of acceptors may have changed.
  void look_after();

  /// This process stops accepting.
  void see_off();

  /// Stops waiting for clients.
  void hurry();

  void stop();

  /// Ends the loops at once. Call it when the control thread has ended.
  void abandon();

 private:
  [[nodiscard]] std::vector<std::shared_ptr<foreign_acceptor>> acceptors() const;
  void look_for_closed();
  void see_off_next();
  [[nodiscard]] bool anybody_served() const;
  bool is_quiet();
  void end();

  log& log_;
  inventory& inventory_;
  const connections& tracked_;
  const std::chrono::milliseconds linger_;
  const callbacks callbacks_;
  asio::steady_timer timer_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<foreign_acceptor>> acceptors_;
  bool looks_after_ = false;
  bool sees_off_ = false;
  bool hurried_ = false;
  std::chrono::steady_clock::time_point began_;
  std::chrono::nanoseconds processor_time_{};  // of the application, when last measured
  std::optional<std::chrono::steady_clock::time_point> quiet_since_;
};

}  // namespace graceful
