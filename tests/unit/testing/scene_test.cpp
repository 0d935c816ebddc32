// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/scene.hpp"

#include <graceful/testing/process.hpp>

#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s;

/// Of the program that tests, which no scene knows of.
pid_t child_without_environment() {
  std::array<char*, 3> argv{const_cast<char*>("sleep"), const_cast<char*>("600"), nullptr};
  std::array<char*, 1> none{};
  pid_t pid = 0;
  REQUIRE(::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), none.data()) == 0);
  return pid;
}

/// Whose first thread has ended, and another lives on: it is no zombie, but looks like one.
pid_t child_without_first_thread() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::thread{[] {
      for (;;) ::pause();
    }}.detach();
    ::syscall(SYS_exit, 0);
  }
  const auto has_left = [pid] {
    const auto table = process_table();
    return std::any_of(table.begin(), table.end(), [pid](const process_entry& each) {
      return each.pid == pid && each.state == 'Z';
    });
  };
  const deadline until{patience};
  while (!has_left() && !until.passed()) ::poll(nullptr, 0, 1);  // there is no event for it
  return pid;
}

bool lives(pid_t child) { return ::waitpid(child, nullptr, WNOHANG) == 0; }

void end(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("a child of the test that has no environment is none of a scene's processes") {
  const pid_t child = child_without_environment();
  {
    scene other;
    CHECK(other.living().empty());
    CHECK(other.wait_all_gone(patience));
  }
  CHECK(lives(child));
  end(child);
}

TEST_CASE("a child of the test that only its first thread has left is none of a scene's processes") {
  const pid_t child = child_without_first_thread();
  { scene other; }
  CHECK(lives(child));
  end(child);
}
