// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_thread.hpp"

#include <exception>
#include <string>

#include <pthread.h>
#include <signal.h>

namespace graceful {

void control_thread::start() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  // A thread inherits the mask of its creator, so at no moment can this one take a signal.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread{[this] { run(); }};
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

control_thread::~control_thread() {
  context_.stop();
  wait();
}

void control_thread::wait() {
  if (thread_.joinable()) thread_.join();
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
