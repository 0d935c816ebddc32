// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/port_holders.hpp"

#include "tcp_sockets.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
namespace os = graceful::os;

TEST_CASE("who listens on a port is named, and each process that holds it") {
  const auto socket = listen_anywhere();
  const auto port = address_of(socket).port();
  const auto self = "pid " + std::to_string(::getpid()) + " (unit-os)";
  CHECK(os::holders_of_port(port) == self);
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto both = os::holders_of_port(port);
  CHECK(both.find(self) != std::string::npos);
  CHECK(both.find("pid " + std::to_string(child) + " (unit-os)") != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("a socket that another process has open too is held by others, unless that does not count") {
  const auto alone = listen_anywhere();
  const auto shared = listen_anywhere();
  const std::set<int> both{alone.get(), shared.get()};
  CHECK(os::held_by_others(both, {}).empty());
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(alone.get());
    for (;;) ::pause();
  }
  // The child may still have to close it.
  std::set<int> held;
  for (int i = 0; i < 100'000 && held != std::set{shared.get()}; ++i) {
    held = os::held_by_others(both, {});
  }
  CHECK(held == std::set{shared.get()});
  CHECK(os::held_by_others(both, {child}).empty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("nobody is named for a port on which nobody listens") {
  std::uint16_t port = 0;
  {
    const auto socket = listen_anywhere();
    port = address_of(socket).port();
  }
  CHECK(os::holders_of_port(port).empty());
  CHECK(os::holders_of_port(0).empty());
}
