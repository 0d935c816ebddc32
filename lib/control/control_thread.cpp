// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_thread.hpp"

#include "os/blocked_signals.hpp"

#include <exception>
#include <string>

#include <pthread.h>

namespace graceful {

void control_thread::start() {
  const os::blocked_signals while_made;
  thread_ = std::thread{[this] { run(); }};
}

void control_thread::run() {
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

}  // namespace graceful
