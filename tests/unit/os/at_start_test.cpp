// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/at_start.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <signal.h>

namespace os = graceful::os;

TEST_CASE("the directory of the start is known, wherever the program has gone since") {
  const auto here = std::filesystem::current_path();
  CHECK(os::directory_at_start() == here);
  std::filesystem::current_path("/");
  const auto later = os::directory_at_start();
  std::filesystem::current_path(here);
  CHECK(later == here);
}

TEST_CASE("the arguments of the start are those of main(), each of them whole") {
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  std::string all;
  for (const auto& argument : os::arguments_at_start()) all += argument + '\0';
  CHECK(all == std::string{std::istreambuf_iterator<char>{file}, {}});
}

TEST_CASE("a signal that is blocked or ignored later was neither at the start") {
  sigset_t one;
  sigset_t before;
  ::sigemptyset(&one);
  ::sigaddset(&one, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &one, &before);
  const auto handler = ::signal(SIGUSR2, SIG_IGN);
  const auto then = os::signals_at_start();
  ::signal(SIGUSR2, handler);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(::sigismember(&then.blocked, SIGUSR2) == ::sigismember(&before, SIGUSR2));
  CHECK((::sigismember(&then.ignored, SIGUSR2) == 1) == (handler == SIG_IGN));
}

TEST_CASE("a program that runs as the user who started it trusts its environment") {
  CHECK_FALSE(os::is_set_id());
  CHECK_FALSE(os::is_set_group_id());
  ::setenv("GRACEFUL_UNIT_TEST", "value", 1);
  const auto value = os::trusted_variable("GRACEFUL_UNIT_TEST");
  ::unsetenv("GRACEFUL_UNIT_TEST");
  CHECK(value == "value");
  CHECK(os::trusted_variable("GRACEFUL_UNIT_TEST").empty());
  CHECK(os::trusted_variable("GRACEFUL_UNIT_TEST", "default") == "default");
}
