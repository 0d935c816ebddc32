// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/scene.hpp"

#include <graceful/testing/process.hpp>

#include "all_descriptors.hpp"
#include "patience.hpp"
#include "testing/generations.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

using namespace graceful::testing;
using graceful_test::all_descriptors;
using graceful_test::patience;
using namespace std::chrono_literals;

namespace {

/// A child of the test program, which no scene knows.
pid_t child_without_environment() {
  std::array<char*, 3> argv{const_cast<char*>("sleep"), const_cast<char*>("600"), nullptr};
  std::array<char*, 1> none{};
  pid_t pid = 0;
  REQUIRE(::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), none.data()) == 0);
  return pid;
}

/// A child whose first thread has ended, while another lives on: it is not a zombie, but looks like
/// one.
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
  while (!has_left() && !until.passed()) ::poll(nullptr, 0, 1);  // no event reports it
  return pid;
}

std::set<pid_t> children() {
  std::set<pid_t> result;
  for (const process_entry& each : process_table()) {
    if (each.parent == ::getpid() && each.state != 'Z') result.insert(each.pid);
  }
  return result;
}

bool lives(pid_t child) { return ::waitpid(child, nullptr, WNOHANG) == 0; }

/// Runs in the parent, in the thread that has forked, before fork(2) returns there.
thread_local std::function<void()> after_next_fork;

void call_after_fork() {
  if (const auto call = std::exchange(after_next_fork, nullptr)) call();
}

void end(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("a child of the test without an environment does not belong to a scene") {
  const pid_t child = child_without_environment();
  {
    scene other;
    CHECK(other.living().empty());
    CHECK(other.wait_all_gone(patience));
  }
  CHECK(lives(child));
  end(child);
}

TEST_CASE("a child of the test whose first thread has ended does not belong to a scene") {
  const pid_t child = child_without_first_thread();
  { scene other; }
  CHECK(lives(child));
  end(child);
}

TEST_CASE("a scene whose guardian has been killed ends, and sends no signal to the test") {
  sigset_t pipe, before;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const auto others = children();
  {
    const scene s;
    auto its = children();
    std::erase_if(its, [&](pid_t each) { return others.contains(each); });
    REQUIRE(its.size() == 1);
    ::kill(*its.begin(), SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(*its.begin()), &info, WEXITED | WNOWAIT);
  }
  const timespec at_once{};
  CHECK(::sigtimedwait(&pipe, nullptr, &at_once) == -1);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(children() == others);
}

TEST_CASE("a process that ends at once is reaped by its object, whatever scenes end meanwhile") {
  static const int registered = ::pthread_atfork(nullptr, call_after_fork, nullptr);
  REQUIRE(registered == 0);
  scene other;
  std::atomic<int> ends{0};
  std::jthread ending{[&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); ++ends) other.end();
  }};
  after_next_fork = [&] {
    // The child runs to its end, and other scenes try twice to reap it, unless they are prevented.
    siginfo_t info{};
    const deadline its_end{10s};
    while (info.si_pid == 0 && !its_end.passed()) {
      ::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG);
    }
    const deadline until{300ms};
    for (const int seen = ends; ends < seen + 2 && !until.passed();) std::this_thread::yield();
  };
  process p{{"/bin/true"}};
  CHECK(p.wait_exit(patience).exited(0));
}

TEST_CASE("how a process ends is known even in a program that began with SIGCHLD ignored") {
  for (const int flags : {0, SA_NOCLDWAIT}) {
    struct sigaction without_zombies {
    }, before{};
    without_zombies.sa_handler = flags == 0 ? SIG_IGN : SIG_DFL;
    without_zombies.sa_flags = flags;
    ::sigaction(SIGCHLD, &without_zombies, &before);
    process p{{"/bin/sh", "-c", "exit 3"}};
    CHECK(p.wait_exit(patience).exited(3));
    ::sigaction(SIGCHLD, &before, nullptr);
  }
}

TEST_CASE("a process that was reaped elsewhere has ended, in an unknown way") {
  process p{{"/bin/true"}};
  ::waitpid(p.pid(), nullptr, 0);
  const auto how = p.wait_exit(patience);
  CHECK(how);
  CHECK_FALSE(how.exited(0));
  CHECK(how.to_string() == "ended");
  CHECK_FALSE(process::owns(p.pid()));
}

TEST_CASE("a scene that ends where no descriptor is free leaves nothing behind") {
  std::optional<scene> s{std::in_place};
  const std::string directory = s->directory();
  process& p = s->start({"/bin/sh", "-c", "sleep 600 & echo orphan $! there"});
  REQUIRE(p.wait_for_output("there", patience));
  REQUIRE(p.wait_exit(patience).exited(0));
  const pid_t orphan = std::stoi(p.output().substr(7));
  REQUIRE(s->living() == std::vector{orphan});
  {
    const all_descriptors none_is_free;
    CHECK_THROWS_AS((void)s->living(), std::system_error);
    s.reset();
  }
  CHECK_FALSE(std::filesystem::exists(directory));
  int status = 0;
  CHECK(::waitpid(orphan, &status, 0) == orphan);  // a kill takes a moment to end a process
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

TEST_CASE("no thread of the kit takes a signal that the test waits for") {
  timeline events;
  generations known{events};
  const process p{{"/bin/sleep", "600"}};
  std::size_t its = 0;
  for (const auto& thread : std::filesystem::directory_iterator{"/proc/self/task"}) {
    if (thread.path().filename() == std::to_string(::getpid())) continue;
    std::ifstream status{thread.path() / "status"};
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigBlk:")) continue;
      CHECK((std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) == 1);
      ++its;
    }
  }
  CHECK(its >= 2);
}

TEST_CASE(
    "a scene's directory is private to its user, until a process of another has to reach it") {
  const scene s;
  CHECK(std::filesystem::status(s.directory()).permissions() == std::filesystem::perms::owner_all);
}
