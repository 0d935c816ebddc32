// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "keeper_fixture.hpp"

#include <doctest/doctest.h>

#include <signal.h>

using namespace graceful_test;
using supervision::phase;

TEST_CASE("a server that exits with 0 is done, and so is its supervisor") {
  keeper_fixture k;
  CHECK(k.begin() == "start");
  CHECK(k.started(7) == "");
  CHECK(k.phase() == phase::serving);
  CHECK(k.exits(7, 0) == "finish 0");
  CHECK(k.phase() == phase::over);
  CHECK(k.begin() == "");
}

TEST_CASE("a failing server is started again, later each time, up to a limit") {
  keeper_fixture k;
  k.begin();
  for (const auto delay : {100ms, 200ms, 400ms, 800ms, 1000ms}) {
    k.started(7);
    CHECK(k.killed(7, SIGKILL) == "");
    CHECK(k.phase() == phase::waiting);
    CHECK(k.noted("was killed by signal 9 (SIGKILL); starting it again in"));
    CHECK(k.next() == delay);
    CHECK(k.after(delay - 1ms) == "");
    CHECK(k.after(1ms) == "start");
  }
  k.started(7);
  CHECK(k.exits(7, 3) == "finish 3");
  CHECK(k.noted("failure 6 of 6 in a row, so the supervisor does not start it again"));
  CHECK(k.memory().restarts == 5);
}

TEST_CASE("the signal that kills a server is passed on as a shell reports it") {
  keeper_fixture k{{.first_delay = 1ms,
                    .longest_delay = 1ms,
                    .failures = 1,
                    .good_while = 1s,
                    .ready_timeout = 1s}};
  k.begin();
  k.started(7);
  CHECK(k.killed(7, SIGSEGV) == "finish 139");
}

TEST_CASE("without a limit it is restarted for ever, and the delay does not exceed its maximum") {
  keeper_fixture k{{.first_delay = 3ms,
                    .longest_delay = 1min,
                    .failures = 0,
                    .good_while = 1s,
                    .ready_timeout = 1s}};
  k.begin();
  for (int i = 0; i < 200; ++i) {
    k.started(7);
    CHECK(k.exits(7, 1) == "");
    CHECK(k.next() <= 1min);
    CHECK(k.after(1min) == "start");
  }
}

TEST_CASE("after a good while failures are forgiven") {
  auto k = started();
  k.exits(7, 1);
  k.after(100ms);
  k.started(8);
  k.after(9'999ms);
  k.exits(8, 1);
  CHECK(k.memory().failures == 2);
  k.after(200ms);
  k.started(9);
  k.after(10s);
  k.exits(9, 1);
  CHECK(k.memory().failures == 1);
  CHECK(k.next() == 100ms);
}

TEST_CASE("a good while begins when the server is ready, not while it starts") {
  auto k = started();
  k.exits(7, 1);
  k.after(100ms);
  k.started(8);
  k.says(8, "STATUS=starting");
  k.after(30s);
  k.exits(8, 1);
  CHECK(k.memory().failures == 2);
  k.after(200ms);
  k.started(9);
  k.says(9, "STATUS=starting");
  k.after(30s);
  k.says(9, "READY=1");
  k.after(1s);
  k.exits(9, 1);
  CHECK(k.memory().failures == 3);
}

TEST_CASE("a program that cannot be executed at the first start ends the supervisor at once") {
  for (const int code : {126, 127}) {
    keeper_fixture k;
    k.begin();
    CHECK(k.on(supervision::event::not_started{code, "cannot execute x"}) ==
          "finish " + std::to_string(code));
    CHECK(k.noted("cannot execute x"));
  }
}

TEST_CASE(
    "a program that cannot be executed at a restart, as it is being replaced, is tried again") {
  auto k = started();
  k.exits(7, 1);
  k.after(100ms);
  CHECK(k.on(supervision::event::not_started{127, "cannot execute x"}) == "");
  CHECK(k.next() == 200ms);
  CHECK(k.after(200ms) == "start");
}

TEST_CASE("a server that reports its start, and is not ready in time, is killed: a failure") {
  auto k = started();
  k.after(20s);
  CHECK(k.says(7, "STATUS=starting") == "");
  CHECK(k.phase() == phase::starting);
  CHECK(k.after(39'999ms) == "");
  CHECK(k.after(1ms) == "send 9 to 7");
  CHECK(k.next() == -1ms);
  k.says(7, "EXTEND_TIMEOUT_USEC=1000000");  // too late
  CHECK(k.killed(7, SIGKILL) == "");
  CHECK(k.noted("was not ready within 1 min and has been killed; starting it again in 100 ms"));
}

TEST_CASE("a server that asks for more time gets it") {
  auto k = started();
  k.says(7, "STATUS=starting");
  k.after(59s);
  k.says(7, "EXTEND_TIMEOUT_USEC=5000000");
  CHECK(k.after(4s) == "");
  CHECK(k.after(1s) == "send 9 to 7");
}

TEST_CASE("a server that is ready, or never reports anything, is not killed") {
  auto k = started();
  CHECK(k.after(1h) == "");
  k.says(7, "STATUS=starting");
  k.says(7, "READY=1\nSTATUS=generation 1 serves");
  CHECK(k.phase() == phase::serving);
  CHECK(k.memory().status == "generation 1 serves");
  CHECK(k.next() == -1ms);
  CHECK(k.after(1h) == "");
}

TEST_CASE("signals go to the server, and the second order to end goes to all") {
  auto k = started();
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) {
    CHECK(k.told(signal) == "send " + std::to_string(signal) + " to 7");
  }
  k.says(7, "READY=1");
  k.says(7, "MAINPID=8\nREADY=1");
  CHECK(k.told(SIGTERM) == "send 15 to 8");
  CHECK(k.told(SIGINT) == "send 2 to 8, send 2 to 7");
  CHECK(k.killed(8, SIGINT) == "release");
  CHECK(k.exits(7, 0) == "finish 130");
}

TEST_CASE("a signal from a terminal goes to the server's whole group") {
  auto k = started();
  k.says(7, "READY=1");
  k.says(7, "MAINPID=8\nREADY=1");
  CHECK(k.told(SIGHUP, true) == "send 1 to the group of 8");
  CHECK(k.told(SIGINT, true) == "send 2 to the group of 8");
  CHECK(k.told(SIGINT, true) == "send 2 to the group of 8, send 2 to 7");
  CHECK(k.exits(8, 0) == "release");
  CHECK(k.told(SIGINT, true) == "send 2 to 7");
}

TEST_CASE("a server that was told to end is not started again, however it ends") {
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) {
    auto k = started();
    k.told(signal);
    CHECK(k.killed(7, signal) == "finish " + std::to_string(128 + signal));
  }
  auto k = started();
  k.told(SIGTERM);
  CHECK(k.vanishes(7) == "finish 0");
}

TEST_CASE("told to end while nothing runs, the service ends with the server's last exit code") {
  auto k = started();
  k.exits(7, 5);
  CHECK(k.told(SIGHUP) == "");
  CHECK(k.told(SIGTERM) == "finish 5");
}

TEST_CASE("the end of an unknown process has no effect") {
  auto k = started();
  CHECK(k.exits(4711, 1) == "");
  CHECK(k.notes().empty());
  k.exits(7, 1);
  CHECK(k.exits(4711, 0) == "");
  CHECK(k.phase() == phase::waiting);
}
