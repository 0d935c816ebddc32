// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/deadline.hpp>

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/process_identity.hpp"
#include "os/shell.hpp"
#include "supervisor/server_process.hpp"

#include "patience.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using graceful::named_main;
using graceful::speaker;
using graceful_test::shell;
namespace os = graceful::os;

namespace {

speaker speaker_of(pid_t pid, uid_t user = ::geteuid()) {
  return {.pid = pid, .user = user, .pidfd = os::open_pidfd(pid)};
}

std::optional<pid_t> meant(const speaker& by, pid_t number) {
  const auto named = named_main(by, number);
  return named ? std::optional{named->pid} : std::nullopt;
}

/// The children of any process, as own_children() lists this one's.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code failed;
  for (const auto& task :
       std::filesystem::directory_iterator{"/proc/" + std::to_string(parent) + "/task", failed}) {
    std::ifstream list{task.path() / "children"};
    for (pid_t pid = 0; list >> pid;) found.push_back(pid);
  }
  return found;
}

pid_t wait_for_child_of(pid_t parent) {
  for (const graceful::testing::deadline until{graceful_test::patience}; !until.passed();
       ::poll(nullptr, 0, 2)) {
    if (const auto found = children_of(parent); !found.empty()) return found.front();
  }
  return 0;
}

/// A child that sleeps until this object is destroyed.
struct sleeper {
  explicit sleeper(const std::string& script = "exec sleep 1000")
      : child{os::child::spawn(shell(script)).value()} {}
  ~sleeper() {
    child.kill();
    (void)child.wait(std::chrono::seconds{10});
  }
  os::child child;
};

/// A process of `user` that is not below this one: an orphan.
struct stranger {
  explicit stranger(uid_t user = ::geteuid()) {
    int ends[2]{};
    REQUIRE(::pipe(ends) == 0);
    const pid_t between = ::fork();
    if (between == 0) {
      const pid_t orphan = ::fork();
      if (orphan == 0) {
        ::close(ends[0]);
        if (::setresuid(user, user, user) != 0) ::_exit(1);
        const pid_t self = ::getpid();
        (void)!::write(ends[1], &self, sizeof self);
        ::close(ends[1]);
        for (;;) ::pause();
      }
      ::_exit(0);
    }
    ::close(ends[1]);
    ::waitpid(between, nullptr, 0);
    REQUIRE(::read(ends[0], &pid, sizeof pid) == sizeof pid);
    ::close(ends[0]);
  }
  ~stranger() { ::kill(pid, SIGKILL); }
  pid_t pid = 0;
};

/// Two processes in their own PID namespace, a shell and below it sleep(1): there they are 1 and 2.
/// None if that cannot be made, which is a failure in CI.
struct other_space {
  other_space() {
    const char* ci = std::getenv("CI");
    for (const graceful::testing::deadline until{graceful_test::patience};
         !until.passed() && !os::wait_readable(outside.child.pidfd(), os::after({}));) {
      first = wait_for_child_of(outside.child.pid());
      second = first > 0 ? wait_for_child_of(first) : 0;
      if (second > 0) return;
    }
    REQUIRE_MESSAGE((ci == nullptr || std::string_view{ci} != "true"), "no PID namespaces");
    MESSAGE("skipped: PID namespaces cannot be made here");
  }
  sleeper outside{"exec unshare --pid --fork --kill-child sh -c 'sleep 1000 & wait'"};
  pid_t first = 0;
  pid_t second = 0;
};

}  // namespace

TEST_CASE("a process can be named by itself and, if it is below the supervisor, by any process") {
  const sleeper one;
  const sleeper other;
  const sleeper parent{"sleep 1000 & wait"};
  const pid_t below = wait_for_child_of(parent.child.pid());
  const auto by = speaker_of(one.child.pid());
  CHECK(meant(by, one.child.pid()) == one.child.pid());
  CHECK(meant(by, other.child.pid()) == other.child.pid());
  CHECK(meant(by, below) == below);
  ::kill(below, SIGKILL);  // nothing else would end it
  const auto named = named_main(by, other.child.pid());
  REQUIRE(named);
  CHECK(os::is_held(named->pidfd.get()));
}

TEST_CASE("the number of this process, or of one above it, names no process") {
  const sleeper one;
  const auto by = speaker_of(one.child.pid());
  CHECK_FALSE(meant(by, ::getpid()));
  CHECK_FALSE(meant(by, ::getppid()));
  CHECK_FALSE(meant(by, 1));
}

TEST_CASE("a process that is not below this one can be named only by one of its own user") {
  const stranger same;
  const sleeper one;
  CHECK(meant(speaker_of(one.child.pid()), same.pid) == same.pid);
  if (::geteuid() != 0) {
    MESSAGE("skipped in part: an ordinary user cannot become another");
    return;
  }
  const stranger other{65'533};
  CHECK_FALSE(meant(speaker_of(one.child.pid()), other.pid));
  CHECK(meant(speaker_of(one.child.pid(), 65'533), other.pid) == other.pid);
}

TEST_CASE("a number that no process has names one that has ended") {
  const sleeper one;
  const auto named = named_main(speaker_of(one.child.pid()), 1 << 30);
  REQUIRE(named);
  CHECK(named->gone);
  CHECK_FALSE(named_main(speaker_of(0), one.child.pid()));
}

TEST_CASE("a number counts in the PID namespace of the process that sends it") {
  const other_space there;
  if (there.second == 0) return;
  const sleeper here;
  const auto by = speaker_of(there.first);
  CHECK(meant(by, 1) == there.first);
  CHECK(meant(by, 2) == there.second);
  CHECK_FALSE(meant(by, here.child.pid()));
  CHECK_FALSE(meant(by, there.second));
  CHECK(meant(speaker_of(here.child.pid()), there.second) == there.second);
}

TEST_CASE("the process that a sender named is known even if the sender has been killed since") {
  const sleeper heir;
  auto dead = os::child::spawn(shell("exec sleep 1000")).value();
  const auto by = speaker_of(dead.pid());
  dead.kill();
  REQUIRE(os::wait_readable(dead.pidfd(), os::after(graceful_test::patience)));
  CHECK(meant(by, heir.child.pid()) == heir.child.pid());
  REQUIRE(dead.wait(std::chrono::seconds{10}));
  CHECK(meant(by, heir.child.pid()) == heir.child.pid());
}
