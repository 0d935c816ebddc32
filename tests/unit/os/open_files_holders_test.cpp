// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/control_path.hpp"
#include "os/open_files.hpp"

#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
namespace os = graceful::os;

TEST_CASE("the processes that listen on a port are named, and all that hold it") {
  auto socket = listen_anywhere();
  const auto port = address_of(socket).port();
  const auto alone = os::holders_of_port(port);
  REQUIRE(alone.size() == 1);
  CHECK(alone.front().pid == ::getpid());
  CHECK(alone.front().name == "unit-os");
  CHECK(alone.front().control_path.empty());
  CHECK(os::advice_on_port(port) ==
        "; this process listens there itself: use that listener, or close it before");
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    children.push_back(child);
  }
  socket.reset();
  const auto both = os::advice_on_port(port);
  CHECK(both.find(": end them, or use another address") != std::string::npos);
  for (const pid_t child : children) {
    CHECK(both.find("pid " + std::to_string(child) + " (unit-os)") != std::string::npos);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (child != children.front()) continue;
    CHECK(os::advice_on_port(port) == "; it is held by pid " + std::to_string(children.back()) +
                                          " (unit-os): end that, or use another address");
  }
}

TEST_CASE("a socket that another process holds counts as held by others, unless that is excepted") {
  const auto alone = listen_anywhere();
  const auto shared = listen_anywhere();
  const std::set<int> both{alone.get(), shared.get()};
  CHECK(os::held_by_others(both, {}).empty());
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(alone.get());
    for (;;) ::pause();
  }
  // The child may not have closed it yet.
  std::set<int> held;
  for (int i = 0; i < 100'000 && held != std::set{shared.get()}; ++i) {
    held = os::held_by_others(both, {});
  }
  CHECK(held == std::set{shared.get()});
  CHECK(os::held_by_others(both, {child}).empty());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("the advice is never to end the process that has started this one") {
  const auto socket = listen_anywhere();
  const auto port = address_of(socket).port();
  std::array<int, 2> told{};
  REQUIRE(::pipe2(told.data(), O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto advice = os::advice_on_port(port);
    (void)!::write(told[1], advice.data(), advice.size());
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  std::array<char, 512> buffer{};
  const auto length = ::read(told[0], buffer.data(), buffer.size());
  REQUIRE(length > 0);
  const std::string advice{buffer.data(), static_cast<std::size_t>(length)};
  CHECK(advice.find("by which this process was started") != std::string::npos);
  CHECK(advice.find("end th") == std::string::npos);
  ::close(told[0]);
  ::close(told[1]);
}

TEST_CASE("a holder that is a server which can be upgraded is named by its control path") {
  const auto socket = listen_anywhere();
  temporary_directory d;
  const auto lock = os::try_lock(d.path("s")).value();
  REQUIRE(lock.has_value());
  CHECK(os::advice_on_port(address_of(socket).port())
            .ends_with(": to replace it: graceful-ctl upgrade " + d.path("s") +
                       "; or use another address"));
}

TEST_CASE("no process is named for a port on which none listens") {
  std::uint16_t port = 0;
  {
    const auto socket = listen_anywhere();
    port = address_of(socket).port();
  }
  CHECK(os::holders_of_port(port).empty());
  CHECK(os::holders_of_port(0).empty());
}
