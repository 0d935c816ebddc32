// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/process_identity.hpp"

#include "os/child.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <limits>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;
using graceful::os::process_identity;
using graceful::os::process_status;

namespace {

/// A child that waits until it is killed.
struct waiting_child {
  waiting_child() : pid{::fork()} {
    if (pid == 0) {
      for (;;) ::pause();
    }
  }
  waiting_child(const waiting_child&) = delete;
  waiting_child& operator=(const waiting_child&) = delete;
  ~waiting_child() {
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      reap();
    }
  }

  /// Leaves a zombie.
  void kill() const {
    siginfo_t info{};
    ::kill(pid, SIGKILL);
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  }
  void reap() { ::waitpid(std::exchange(pid, -1), nullptr, 0); }

  pid_t pid;
};

}  // namespace

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
      using os::is_ancestor;
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
  waiting_child child;
  const auto other = process_identity::of(child.pid);
  REQUIRE(other);
  CHECK_FALSE(other->has_ended());
  child.kill();
  CHECK(other->has_ended());  // a zombie
  child.reap();
  CHECK(other->has_ended());
}

TEST_CASE("the kernel tells the users and the numbers of a process") {
  const auto self = process_status::of(::getpid(), -1);
  REQUIRE(self);
  CHECK(self->user == ::getuid());
  CHECK(self->effective_user == ::geteuid());
  CHECK(self->numbers.front() == ::getpid());
  CHECK_FALSE(process_status::of(0, -1));
}

TEST_CASE("a process has a status until it is reaped, even if another has its number then") {
  waiting_child child;
  const auto pidfd = os::open_pidfd(child.pid);
  REQUIRE(pidfd);
  CHECK(process_status::of(child.pid, pidfd.get()));
  child.kill();
  CHECK(os::is_held(pidfd.get()));  // a zombie
  child.reap();
  CHECK_FALSE(os::is_held(pidfd.get()));
  CHECK_FALSE(process_status::of(::getpid(), pidfd.get()));
}

TEST_CASE("a number that counts in the same PID namespace is the same here") {
  const waiting_child child;
  CHECK(os::number_here(::getpid(), child.pid) == child.pid);
  CHECK(os::number_here(child.pid, ::getpid()) == ::getpid());
  CHECK_FALSE(os::number_here(::getpid(), std::numeric_limits<pid_t>::max()));
}

TEST_CASE("a process knows its children, and what is below it, until they are reaped") {
  waiting_child child;
  const auto pid = child.pid;
  const auto is_listed = [pid] {
    const auto all = os::own_children();
    return !all || std::ranges::find(*all, pid) != all->end();
  };
  CHECK(os::is_child(pid));
  CHECK(os::is_below_this(pid));
  CHECK(os::is_descendant(pid, ::getpid()));
  CHECK_FALSE(os::is_descendant(::getpid(), pid));
  CHECK_FALSE(os::is_below_this(::getpid()));
  CHECK(is_listed());
  child.kill();
  CHECK(os::is_child(pid));  // a zombie
  child.reap();
  CHECK_FALSE(os::is_child(pid));
  CHECK_FALSE(os::is_below_this(pid));
}
