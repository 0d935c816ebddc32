// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_identity.hpp"

#include <doctest/doctest.h>

#include <future>
#include <thread>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using graceful::os::process_identity;

TEST_CASE("a process keeps its identity as long as it lives, whatever name it takes") {
  const auto before = process_identity::of(::getpid());
  REQUIRE(before);
  CHECK(before->started > 0);
  CHECK(before->space.starts_with("pid:["));
  ::prctl(PR_SET_NAME, "a) Z 1 (b");
  CHECK(process_identity::of(::getpid()) == before);
}

TEST_CASE("a zombie has no identity, and neither has a process that never existed") {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  CHECK_FALSE(process_identity::of(child));
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(process_identity::of(child));
  CHECK_FALSE(process_identity::of(0));
  CHECK_FALSE(process_identity::of(-1));
}

TEST_CASE(
    "the processes that started this one, directly or not, are its ancestors, and no others") {
  const pid_t above = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t between = ::getpid();
    const pid_t below = ::fork();
    if (below == 0) {
      using graceful::os::is_ancestor;
      const bool right = is_ancestor(above) && is_ancestor(between) && !is_ancestor(::getpid()) &&
                         !is_ancestor(0) && !is_ancestor(-1);
      ::_exit(right ? 0 : 1);
    }
    int how = -1;
    ::waitpid(below, &how, 0);
    ::_exit(how == 0 && !graceful::os::is_ancestor(below) ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a process is known to have ended, even if its number is that of a thread by now") {
  std::promise<pid_t> number;
  std::promise<void> enough;
  const std::jthread thread{[&, told = enough.get_future()] {
    number.set_value(static_cast<pid_t>(::syscall(SYS_gettid)));
    told.wait();
  }};
  auto dead = *process_identity::of(::getpid());
  dead.pid = number.get_future().get();
  dead.started -= 1;
  CHECK(dead.has_ended());
  enough.set_value();
}

TEST_CASE("a process is known to have ended, even if another has its number by now") {
  const auto self = *process_identity::of(::getpid());
  CHECK_FALSE(self.has_ended());
  auto before = self;
  before.started -= 1;
  CHECK(before.has_ended());
  auto elsewhere = before;
  elsewhere.space = "pid:[1]";
  CHECK_FALSE(elsewhere.has_ended());
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto other = process_identity::of(child);
  REQUIRE(other);
  CHECK_FALSE(other->has_ended());
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  CHECK(other->has_ended());  // a zombie
  ::waitpid(child, nullptr, 0);
  CHECK(other->has_ended());
}
