// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/server_process.hpp"

#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/control_path.hpp"
#include "os/shell.hpp"

#include "patience.hpp"
#include "temporary_directory.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::path_server;
using graceful::serving_watch;
namespace os = graceful::os;
using kind = path_server::kind;

namespace {

/// A control path, whose socket this process holds too.
struct served_path {
  /// A child calls listen(2) there, and stays until this object is destroyed.
  pid_t have_a_child_serve() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const graceful::unique_fd serves{ends[0]};
    graceful::unique_fd says_so{ends[1]};
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool adopted = os::adopt_control(socket.get());
      if (!adopted || ::write(says_so.get(), "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    children.push_back(pid);
    says_so.reset();
    char byte{};
    REQUIRE(::read(serves.get(), &byte, 1) == 1);
    return pid;
  }

  void end_children() {
    for (const pid_t pid : std::exchange(children, {})) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  void change_lock() const {
    const std::array<timespec, 2> times{timespec{.tv_sec = ++seconds, .tv_nsec = 0},
                                        timespec{.tv_sec = seconds, .tv_nsec = 0}};
    REQUIRE(::utimensat(AT_FDCWD, os::lock_path(path).c_str(), times.data(), 0) == 0);
  }

  served_path() = default;
  served_path(const served_path&) = delete;
  served_path& operator=(const served_path&) = delete;
  ~served_path() { end_children(); }

  temporary_directory directory;
  const std::string path = directory.path("s");
  graceful::unique_fd lock = std::move(*os::try_lock(path).value());
  graceful::unique_fd socket = os::bind_control(path).value();
  std::vector<pid_t> children;
  mutable time_t seconds = 1'000'000;
};

path_server server_at(const std::string& path) {
  return path_server::of(path, std::chrono::steady_clock::now() + patience);
}

}  // namespace

TEST_CASE("the kernel tells which process serves a path") {
  served_path s;
  CHECK(server_at(s.directory.path("none")).what == kind::nobody);
  const auto own = server_at(s.path);
  CHECK(own.what == kind::process);
  CHECK(own.pid == ::getpid());
  CHECK(own.own_user);
  const pid_t child = s.have_a_child_serve();
  const auto other = server_at(s.path);
  CHECK(other.pid == child);
  CHECK(other.pidfd);
  s.end_children();
  CHECK(server_at(s.path).what == kind::unknown);  // this process could still accept
}

TEST_CASE("a process that has come to serve in place of the server is reported") {
  served_path s;
  serving_watch watch{s.path, "supervisor"};
  const pid_t first = s.have_a_child_serve();
  CHECK_FALSE(watch.look({.main = first}));
  const pid_t second = s.have_a_child_serve();
  const auto come = watch.look({.main = first});
  REQUIRE(come);
  CHECK(come->pid == second);
  CHECK(come->pidfd);
  CHECK_FALSE(watch.look({.main = first, .speaker = second}));
}

TEST_CASE("nobody asks who serves while the lock stays the same, as it does without an upgrade") {
  served_path s;
  serving_watch watch{s.path, "supervisor"};
  const pid_t first = s.have_a_child_serve();
  for (int look = 0; look < 3; ++look) CHECK_FALSE(watch.look({.main = first}));
  const pid_t second = s.have_a_child_serve();
  CHECK_FALSE(watch.look({.main = first}));
  s.change_lock();
  const auto come = watch.look({.main = first});
  REQUIRE(come);
  CHECK(come->pid == second);
}

TEST_CASE("a server is told that it is watched, and by which supervisor") {
  served_path s;
  const pid_t server = s.have_a_child_serve();
  serving_watch watch{s.path, "/run/its.supervisor"};
  CHECK_FALSE(watch.look({.main = server}));
  varlink_peer from{graceful::unique_fd{::accept(s.socket.get(), nullptr, nullptr)}};
  const auto told = from.receive(patience).value_or("");
  CHECK(told.find("io.graceful.Control.Watch") != told.npos);
  CHECK(told.find("/run/its.supervisor") != told.npos);
}

TEST_CASE("at the end of the server another process that serves its path is its heir") {
  served_path s;
  const serving_watch watch{s.path, "supervisor"};
  const pid_t heir = s.have_a_child_serve();
  constexpr pid_t ended = 99'999'999;  // beyond what the kernel assigns
  CHECK(watch.end_of(ended, {}).heir == heir);
  CHECK_FALSE(watch.end_of(ended, {.formers = {heir}}).heir);  // it drains
  CHECK_FALSE(watch.end_of(heir, {}).heir);
}

TEST_CASE("while no process serves, one may come as long as the supervisor has other children") {
  served_path s;
  s.have_a_child_serve();
  s.end_children();
  const serving_watch watch{s.path, "supervisor"};
  constexpr pid_t ended = 99'999'999;
  CHECK_FALSE(watch.end_of(ended, {}).may_come);
  auto child = os::child::spawn(shell("exec sleep 1000")).value();
  CHECK(watch.end_of(ended, {}).may_come);
  CHECK_FALSE(watch.end_of(child.pid(), {}).may_come);
  CHECK_FALSE(watch.end_of(ended, {.formers = {child.pid()}}).may_come);
  child.kill();
  CHECK(child.wait(patience));
}

TEST_CASE("without a control path nothing is known, and nobody is waited for") {
  serving_watch watch{"", "supervisor"};
  CHECK_FALSE(watch.look({}));
  const auto after = watch.end_of(7, {});
  CHECK_FALSE(after.heir);
  CHECK_FALSE(after.may_come);
}
