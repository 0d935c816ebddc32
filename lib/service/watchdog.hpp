// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_WATCHDOG_HPP
#define GRACEFUL_SERVICE_WATCHDOG_HPP

#include "listen/inventory.hpp"
#include "listen/roll_call.hpp"
#include "os/service_manager.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>

namespace graceful {

namespace asio = boost::asio;

/// Proves to the service manager that the application's own threads run: reports when they have
/// answered. Lives on the control thread.
class watchdog {
 public:
  /// Reports twice per `period`, within which the manager expects to hear from this process; 0:
  /// never.
  watchdog(asio::io_context& control, const inventory& sockets, asio::any_io_executor application,
           std::shared_ptr<const os::service_manager> to, std::chrono::microseconds period);

  void start();
  void stop();

 private:
  void look();

  const std::chrono::microseconds interval_;
  const std::shared_ptr<const os::service_manager> to_;
  bool wanted_ = false;
  roll_call roll_;
  asio::steady_timer timer_;
};

}  // namespace graceful

#endif
