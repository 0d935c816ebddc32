// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/generations.hpp"

#include <graceful/testing/census.hpp>
#include <graceful/testing/process.hpp>

#include "all_descriptors.hpp"
#include "patience.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using graceful_test::patience;
using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

/// Like a successor whose parent has ended: a child that no object owns.
pid_t orphan(int exit_code) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(exit_code);
  return pid;
}

}  // namespace

TEST_CASE("how a generation ends is known, and its process is left for its object to reap") {
  timeline events;
  generations known{events};
  process server{{"/bin/sh", "-c", "exit 3"}};
  known.add(1, server.pid());
  known.add(1, server.pid());
  REQUIRE(known.wait_gone(1, patience));
  REQUIRE(known.members().size() == 1);
  CHECK(known.members()[0].end == "exited 3");
  CHECK(server.wait_exit(patience).exited(3));
  CHECK_FALSE(known.signal(1, SIGTERM));
}

TEST_CASE("a generation that no object owns is reaped when it ends, and its descriptor is closed") {
  timeline events;
  generations known{events};
  const auto before = take_census(::getpid());
  for (std::uint64_t number = 2; number < 6; ++number) {
    const pid_t pid = orphan(4);
    known.add(number, pid);
    REQUIRE(known.wait_gone(number, patience));
    CHECK(known.members().back().end == "exited 4");
    CHECK(::waitpid(pid, nullptr, WNOHANG) == -1);
  }
  CHECK(take_census(::getpid()) == before);
}

TEST_CASE(
    "a generation for which no descriptor is free does not count as ended, and its end is seen") {
  timeline events;
  generations known{events};
  process server{{"/bin/sleep", "60"}};
  {
    const graceful_test::all_descriptors taken;
    known.add(1, server.pid());
    CHECK_FALSE(known.wait_gone(1, 0s));
  }
  server.signal(SIGKILL);
  REQUIRE(known.wait_gone(1, patience));
  CHECK(known.members()[0].end == "signalled 9");
}

TEST_CASE("a number means its newest process: a rolled-back successor has the number of the next") {
  timeline events;
  generations known{events};
  process first{{"/bin/sleep", "60"}}, second{{"/bin/sleep", "60"}};
  known.add(2, first.pid());
  known.add(2, second.pid());
  CHECK(known.pid(2) == second.pid());
  CHECK(known.name_of(first.pid()) == "generation 2");
  CHECK(known.name_of(::getpid()) == "pid " + std::to_string(::getpid()));
  CHECK_THROWS_AS((void)known.pid(3), std::out_of_range);
  CHECK(known.signal(2, SIGKILL));
  CHECK(known.wait_gone(2, patience));
  CHECK(first.running());
  CHECK_FALSE(known.wait_ended(first.pid(), 0s));
  CHECK(events.to_string().find("generation 2  pid " + std::to_string(second.pid()) +
                                " signalled 9") != std::string::npos);
}
