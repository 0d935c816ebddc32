// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "os/blocked_signals.hpp"
#include "os/log.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <string>
#include <thread>

#include <pthread.h>

namespace graceful {

namespace asio = boost::asio;

/// An io_context with its own thread, in which all signals are blocked: they stay with the
/// application's threads, see `signal_actions` for the exception.
class control_thread {
 public:
  explicit control_thread(log& log) : log_{log} {}
  ~control_thread() {
    context_.stop();
    wait();
  }

  [[nodiscard]] asio::io_context& context() { return context_; }

  void start() {
    const os::blocked_signals while_made;
    thread_ = std::thread{[this] { run(); }};
  }

  /// Waits until something has stopped the context. Drops what is pending then.
  void wait() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    ::pthread_setname_np(::pthread_self(), "graceful");
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& e) {
        // No memory or no descriptors for one connection must not end the others.
        log_.error("control socket: " + std::string{e.what()});
      }
    }
  }

  log& log_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;
};

}  // namespace graceful
