// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVICE_NOTIFIER_HPP
#define GRACEFUL_SERVICE_NOTIFIER_HPP

#include "listen/inventory.hpp"
#include "os/log.hpp"
#include "os/service_manager.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>

namespace graceful {

namespace asio = boost::asio;

/// What is said to the service manager, in order, however slow it is to listen; nobody waits for
/// it but a process that ends. Lives on the control thread.
class notifier {
 public:
  notifier(asio::io_context& control, log& log, std::shared_ptr<const os::service_manager> to)
      : log_{log}, to_{std::move(to)}, again_{control} {}

  void say(std::string assignments);

  /// While the manager's socket is gone it is not dropped: the manager is expected to put that
  /// back.
  void insist(std::string assignments);

  /// Of what is said in this way only the last matters.
  void say_status(const std::string& text);

  /// A socket rides along, and is held until then.
  void say(std::string assignments, std::shared_ptr<const listening_socket> socket);

  /// `finish` waits until all that was said up to here has been dealt with, or the manager is gone:
  /// a process that ends earlier may be gone before the manager knows who has written.
  void barrier();

  /// Says what is left, and waits: for the manager to take it, and to come to the barrier, if
  /// there is one. A manager that does not listen is not waited for longer than `patience`.
  void finish(std::chrono::milliseconds patience);

 private:
  struct message {
    std::string text;
    bool status = false;
    std::shared_ptr<const listening_socket> socket{};
    unique_fd barrier{};  // the manager's end
    bool insists = false;
  };

  void pump();
  [[nodiscard]] bool send_all();

  log& log_;
  const std::shared_ptr<const os::service_manager> to_;
  std::deque<message> queue_;
  asio::steady_timer again_;
  bool waiting_ = false;
  bool deaf_ = false;  // and the log says so
  unique_fd through_;  // readable (end of file) when the manager has come to the barrier
};

}  // namespace graceful

#endif
