// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/spawned_successor.hpp"

#include "handoff/served_sessions.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::unique_fd;

namespace {

/// A successor that is a shell script.
struct spawned_script : served_sessions {
  pid_t run(const std::string& script, int channel = -1) {
    REQUIRE(child
                .spawn({"/bin/sh", {"sh", "-c", script}, {}, "/"}, graceful::os::placement::child,
                       channel)
                .has_value());
    return *child.pid();
  }

  std::string how;
  pid_t ended = 0;
  graceful::spawned_successor child{io, log, {.ended = [this](const std::string& way, pid_t pid) {
                                      how = way;
                                      ended = pid;
                                    }}};
};

bool is_running(pid_t pid) { return ::kill(pid, 0) == 0; }

}  // namespace

TEST_CASE("the end of a spawned process is reported once, and it is reaped") {
  spawned_script s;
  const auto pid = s.run("exit 3");
  CHECK(s.run_until([&] { return !s.how.empty(); }));
  CHECK(s.how == "exited with status 3");
  CHECK(s.ended == pid);
  CHECK_FALSE(s.child.pid());
  CHECK_FALSE(is_running(pid));
  s.run("exit 4");
  CHECK(s.run_until([&] { return s.how == "exited with status 4"; }));
}

TEST_CASE("a spawned process has the channel as the descriptor that is announced to it") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const unique_fd out{ends[0]};
  unique_fd in{ends[1]};
  spawned_script s;
  s.run("echo x >&" + std::to_string(graceful::spawned_successor::channel_number), in.get());
  in.reset();
  char byte = 0;
  CHECK(::read(out.get(), &byte, 1) == 1);
  CHECK(s.run_until([&] { return !s.how.empty(); }));
}

TEST_CASE("a process that was killed is reported as such") {
  spawned_script s;
  const auto pid = s.run("exec sleep 1000");
  s.child.kill();
  CHECK(s.run_until([&] { return !s.how.empty(); }));
  CHECK(s.how == "was killed by signal 9 (SIGKILL)");
  CHECK_FALSE(is_running(pid));
}

TEST_CASE("a retired process is not reported, and only the log tells that it ended badly") {
  spawned_script s;
  const auto pid = s.run("exit 3");
  s.child.retire(patience);
  CHECK_FALSE(s.child.pid());
  REQUIRE(s.run_until([&] { return !s.entries.empty(); }));
  CHECK(s.entries.back().second == "the successor (pid " + std::to_string(pid) +
                                       "), which was rolled back, exited with status 3");
  CHECK(s.how.empty());
  CHECK_FALSE(is_running(pid));
}

TEST_CASE("a retired process that does not end in its time is killed, beside a new successor") {
  spawned_script s;
  const auto old = s.run("exec sleep 1000");
  s.child.retire(0ms);
  const auto next = s.run("exec sleep 1000");
  CHECK(s.run_until([&] { return !is_running(old); }));
  CHECK(s.mentions("does not end: it is killed"));
  CHECK(s.child.pid() == next);
  CHECK(is_running(next));
  s.child.kill();
  CHECK(s.run_until([&] { return !s.how.empty(); }));
}

TEST_CASE("a process that ends itself waits for the successor that it has killed") {
  spawned_script s;
  const auto pid = s.run("exec sleep 1000");
  s.child.kill();
  s.child.wait();
  CHECK_FALSE(is_running(pid));
  CHECK(s.how.empty());
}

TEST_CASE("a program that cannot be executed is a failure, and leaves no process") {
  spawned_script s;
  const auto spawned =
      s.child.spawn({"/no/such", {"x"}, {}, "/"}, graceful::os::placement::child, -1);
  CHECK_FALSE(spawned.has_value());
  CHECK_FALSE(s.child.pid());
}
