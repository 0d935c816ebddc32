// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/open_files.hpp"

#include "tcp_sockets.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <functional>
#include <thread>

#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
namespace os = graceful::os;

namespace {

/// Whether a thread that waits as `how` does is recognised as waiting for `listening`.
bool is_seen(int listening, const std::function<void(int wake)>& how, bool also_in_select = true) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  std::thread waits{[&] { how(pipe[0]); }};
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::seconds{also_in_select ? 20 : 1};
  bool seen = false;
  while (!seen && std::chrono::steady_clock::now() < until) {
    seen = os::somebody_blocks_in_accept(listening, also_in_select) == os::answer::yes;
  }
  REQUIRE(::write(pipe[1], "x", 1) == 1);
  waits.join();
  ::close(pipe[0]);
  ::close(pipe[1]);
  return seen;
}

}  // namespace

TEST_CASE("a thread that polls a listening socket among others waits for a connection") {
  const auto listening = listen_anywhere();
  CHECK(is_seen(listening.get(), [&](int wake) {
    std::array<pollfd, 2> both{{{wake, POLLIN, 0}, {listening.get(), POLLIN, 0}}};
    ::poll(both.data(), both.size(), -1);
  }));
}

TEST_CASE("a thread that selects waits for a connection, unless Asio itself waits that way") {
  const auto listening = listen_anywhere();
  const auto selects = [&](int wake) {
    fd_set both;
    FD_ZERO(&both);
    FD_SET(wake, &both);
    FD_SET(listening.get(), &both);
    ::select(std::max(wake, listening.get()) + 1, &both, nullptr, nullptr, nullptr);
  };
  CHECK(is_seen(listening.get(), selects));
  CHECK_FALSE(is_seen(listening.get(), selects, false));
}

TEST_CASE("a process that is not dumpable cannot tell whether one of its threads blocks") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can become another user");
    return;
  }
  const auto listening = listen_anywhere();
  CHECK(os::somebody_blocks_in_accept(listening.get(), false) == os::answer::no);
  const pid_t child = ::fork();
  if (child == 0) {
    // From then on its files in /proc belong to root: PR_SET_DUMPABLE(2const).
    const bool unknown = ::setuid(65534) == 0 && os::somebody_blocks_in_accept(
                                                     listening.get(), false) == os::answer::unknown;
    ::_exit(unknown ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}
