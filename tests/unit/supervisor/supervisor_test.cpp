// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/supervisor.hpp>

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;

TEST_CASE("a signal that arrives before the supervisor runs ends the server that it starts") {
  const temporary_directory directory;
  const pid_t child = ::fork();  // a supervisor takes over the whole process
  REQUIRE(child >= 0);
  if (child == 0) {
    graceful::supervisor s{{.command = {"/bin/sleep", "1000"},
                            .control_path = directory.path("s"),
                            .log = [](auto, auto) {}}};
    ::kill(::getpid(), SIGTERM);
    ::_exit(s.run());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + SIGTERM);
}
