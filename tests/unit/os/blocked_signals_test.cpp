// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/blocked_signals.hpp"

#include <doctest/doctest.h>

#include <thread>

#include <signal.h>

using graceful::os::blocked_signals;

namespace {

bool is_blocked(int number) {
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return ::sigismember(&now, number) == 1;
}

sigset_t only(int number) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, number);
  return set;
}

}  // namespace

TEST_CASE("signals are blocked for a while, also for the threads that are started meanwhile") {
  bool in_thread = false;
  {
    const blocked_signals all;
    CHECK(is_blocked(SIGUSR1));
    CHECK(is_blocked(SIGTERM));
    std::thread{[&] { in_thread = is_blocked(SIGUSR1); }}.join();
  }
  CHECK(in_thread);
  CHECK_FALSE(is_blocked(SIGUSR1));
}

TEST_CASE("only the signals that are named are blocked, and what was blocked before stays so") {
  const blocked_signals before{only(SIGUSR2)};
  {
    const blocked_signals one{only(SIGUSR1)};
    CHECK(is_blocked(SIGUSR1));
    CHECK(is_blocked(SIGUSR2));
    CHECK_FALSE(is_blocked(SIGTERM));
  }
  CHECK_FALSE(is_blocked(SIGUSR1));
  CHECK(is_blocked(SIGUSR2));
}

TEST_CASE("signals that are kept blocked stay so") {
  bool later = false;
  std::thread{[&] {
    { blocked_signals{only(SIGUSR1)}.keep(); }
    later = is_blocked(SIGUSR1);
  }}.join();
  CHECK(later);
}
