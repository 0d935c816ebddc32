// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What a server says to the service manager that has started it, and when.
#include "gate.hpp"
#include "notify_socket.hpp"
#include "server_fixture.hpp"
#include "service_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

/// An upgrade whose successor is in probation for a minute.
struct managed_probation : managed_site {
  explicit managed_probation(std::map<std::string, std::string> environment = {})
      : managed_site{{"--probation", "1min"}, std::move(environment)} {
    await(says("READY=1"));
    upgrade = &server.start_upgrade();
    const auto begin = await(says("RELOADING=1")).value("STATUS");
    successor = static_cast<pid_t>(std::stoi(begin.substr(begin.rfind(' '))));
    await([](const notification& n) { return contains(n.value("STATUS"), "in probation"); });
  }

  /// All messages came from the predecessor, and none named another main process.
  void nobody_was_named() {
    read_rest();
    for (const auto& each : heard) {
      CHECK(each.pid == old);
      CHECK(each.value("MAINPID").empty());
    }
  }

  const pid_t old = server.server().pid();
  process* upgrade{};
  pid_t successor{};
};

}  // namespace

TEST_CASE("a cold start reports that it starts, then that it is ready") {
  managed_site m;
  const auto first = m.manager.next(patience);
  CHECK(first.text == "STATUS=starting");
  CHECK(first.pid == m.server.server().pid());
  CHECK(m.manager.next(patience).text == "READY=1\nSTATUS=generation 1 serves");
}

TEST_CASE("an upgrade is a reload, after which the successor is the main process") {
  managed_site m{{"--probation", "200ms"}};
  const auto old = m.server.server().pid();
  m.await(m.says("READY=1"));
  const auto done = m.server.upgrade();
  CHECK_MESSAGE(done.status == "exited 0", done.all);
  const auto begin = m.await(m.says("RELOADING=1"));
  CHECK(begin.pid == old);
  CHECK(std::stoll(begin.value("MONOTONIC_USEC")) > 0);
  const auto end = m.await([](const notification& n) { return !n.value("MAINPID").empty(); });
  CHECK(end.pid == old);
  CHECK(end.has("READY=1"));
  CHECK(end.value("STATUS") == "generation 2 serves");
  const auto next = std::stoi(end.value("MAINPID"));
  CHECK(next == m.server.pid());
  // Either may send the last message, but the successor sends only after the MAINPID.
  bool barrier = false;
  bool confirmed = false;
  while (!barrier || !confirmed) {
    const auto said = m.manager.next(patience);
    INFO(said.text);
    if (said.pid == old) {
      CHECK(said.text == "BARRIER=1");
      barrier = true;
    } else {
      CHECK(said.pid == next);
      CHECK(said.has("MAINPID=" + std::to_string(next)));
      CHECK(said.has("READY=1"));
      confirmed = true;
    }
  }
  CHECK(m.server.server().wait_exit(patience).exited(0));
  CHECK(m.said("STOPPING=1") == 0);
}

TEST_CASE("a process that has handed over does not end before the manager knows") {
  managed_site m;
  m.await(m.says("READY=1"));
  CHECK(m.server.upgrade().status == "exited 0");
  {
    const auto barrier = m.await(m.says("BARRIER=1"));
    REQUIRE(barrier.descriptors.size() == 1);
    CHECK_FALSE(m.server.server().wait_exit(300ms));
  }
  CHECK(m.server.server().wait_exit(patience).exited(0));
}

TEST_CASE("a manager that ignores barriers does not delay a process for long") {
  managed_site m;
  m.await(m.says("READY=1"));
  CHECK(m.server.upgrade().status == "exited 0");
  const auto barrier = m.await(m.says("BARRIER=1"));
  CHECK(m.server.server().wait_exit(patience).exited(0));
}

TEST_CASE("an upgrade that fails ends the reload, and says why") {
  managed_site m;
  m.await(m.says("READY=1"));
  const auto word = m.server.scene().path("word");
  REQUIRE(::mkfifo(word.c_str(), 0600) == 0);
  process& upgrade =
      m.server.start_upgrade({"--", "/bin/sh", "-c", "read end < \"$0\"; exit 1", word});
  const auto status = m.await(m.says("RELOADING=1")).value("STATUS");
  REQUIRE(status.starts_with("upgrade: spawned pid "));
  // The test reaps its children, as a manager does, so that it is known at once how a sibling
  // ended.
  const auto successor = static_cast<pid_t>(std::stoi(status.substr(status.rfind(' '))));
  std::jthread manager{[successor] { CHECK(::waitpid(successor, nullptr, 0) == successor); }};
  graceful::unique_fd{::open(word.c_str(), O_WRONLY | O_CLOEXEC)}.reset();
  CHECK(upgrade.wait_exit(patience).exited(1));
  const auto end = m.await(m.says("READY=1"));
  CHECK(end.pid == m.server.server().pid());
  INFO(end.text);
  CHECK(contains(end.value("STATUS"), "the successor exited with status 1"));
  CHECK(end.value("MAINPID").empty());
}

TEST_CASE("a rollback in the probation does not change the main process") {
  managed_probation m;
  CHECK(parent_of(m.successor) == ::getpid());  // like the predecessor's
  CHECK(m.server.ctl({"rollback", m.server.control()}).status == "exited 0");
  const auto end = m.await(m.says("READY=1"));
  CHECK(end.pid == m.old);
  CHECK(m.upgrade->wait_exit(patience).exited(1));
  m.server.server().signal(SIGTERM);
  m.await(m.says("STOPPING=1"));
  CHECK(m.server.server().wait_exit(patience).exited(0));
  m.nobody_was_named();
}

TEST_CASE(
    "a successor is not a child of a parent that is not the manager and need not wait for it") {
  managed_probation m{{{"MANAGERPID", "0"}}};
  REQUIRE(parent_of(m.old) == ::getpid());
  CHECK(parent_of(m.successor) == m.old);
  CHECK(m.server.ctl({"commit", m.server.control()}).status == "exited 0");
  CHECK(m.server.server().wait_exit(patience).exited(0));
}

TEST_CASE("a stop in the probation stops the service: the successor is rolled back") {
  managed_probation m;
  const auto successor = open_pidfd(m.successor);
  m.server.server().signal(SIGTERM);
  const auto end = m.await(m.says("STOPPING=1"));
  CHECK(end.pid == m.old);
  CHECK(m.server.server().wait_exit(patience).exited(0));
  CHECK(wait_readable(successor.get(), patience));
  CHECK(m.upgrade->wait_exit(patience).exited(7));  // the server ends too
  m.nobody_was_named();
  CHECK(contains(m.server.server().output(), "rolled back: the service ends; this process ends"));
  CHECK_FALSE(std::filesystem::exists(m.server.control()));
}

TEST_CASE("a stop in the probation commits a successor that another process has started") {
  managed_site m{{"--probation", "1min"}};
  m.await(m.says("READY=1"));
  auto command = m.server.command();
  command.push_back("--takeover");
  process& second = m.server.scene().start(command);
  REQUIRE(second.wait_for_output("ready: generation 2 ", patience));
  m.server.server().signal(SIGTERM);
  m.await(m.says("BARRIER=1"));
  CHECK(m.server.server().wait_exit(patience).exited(0));
  CHECK(contains(m.server.server().output(), "generation 2 has taken over"));
  CHECK(second.running());
  CHECK(m.server.pid() == second.pid());
}

TEST_CASE("a server that ends asks for the time that it needs, and reports what is left") {
  managed_site m;
  m.await(m.says("READY=1"));
  auto held = m.server.hold();
  m.server.server().signal(SIGTERM);
  const auto first = m.await(m.says("STOPPING=1"));
  CHECK(std::stoll(first.value("EXTEND_TIMEOUT_USEC")) >= 2'000'000);
  CHECK(first.value("STATUS") == "ends, 1 connection left");
  for (int seconds = 0; seconds < 2; ++seconds) {
    const auto more = m.manager.next(patience);
    CHECK(std::stoll(more.value("EXTEND_TIMEOUT_USEC")) >= 2'000'000);
    CHECK_FALSE(more.has("STOPPING=1"));
  }
  held.exchange("Host: test\r\n\r\n");
  CHECK(m.server.server().wait_exit(patience).exited(0));
}

TEST_CASE("a server that is told to end before it is ready reports both when it would be ready") {
  scene place;
  notify_socket manager{place.path("notify")};
  gated_site g{{}, {}, {.environment = {{"NOTIFY_SOCKET", manager.address()}}}};
  g.server.signal(SIGTERM);
  REQUIRE(g.server.wait_for_output("this process drains, and ends", patience));
  CHECK(manager.next(patience).text == "STATUS=starting");
  g.opening.open();
  const auto both = manager.next(patience);
  CHECK(both.pid == g.server.pid());
  CHECK(both.has("READY=1"));
  CHECK(both.has("STOPPING=1"));
  g.server.signal(SIGALRM);
  CHECK(g.server.wait_exit(patience).exited(0));
}

TEST_CASE("the successor reports what older generations still have to finish") {
  managed_site m;
  const auto old = std::to_string(m.server.server().pid());
  m.await(m.says("READY=1"));
  auto held = m.server.hold();
  CHECK(m.server.upgrade().status == "exited 0");
  m.await(m.says("STATUS=generation 2 serves, 1 connection draining on " + old));
  held.exchange("Host: test\r\n\r\n");
  CHECK(m.server.server().wait_exit(patience).exited(0));
  m.await(m.says("STATUS=generation 2 serves"));
  CHECK(m.said("STOPPING=1") == 0);
}

TEST_CASE("a server proves to its watchdog that its own threads run, and so does its successor") {
  managed_site m{{}, {{"WATCHDOG_USEC", "200000"}}};
  const auto old = m.server.server().pid();
  for (int i = 0; i < 3; ++i) CHECK(m.await(m.says("WATCHDOG=1")).pid == old);
  CHECK(m.server.upgrade().status == "exited 0");
  const auto next = m.server.pid();
  for (int i = 0; i < 3;) {
    const auto ping = m.await(m.says("WATCHDOG=1"));
    if (ping.pid == next) ++i;
  }
}

TEST_CASE("a watchdog that is meant for another process gets nothing from this one") {
  managed_site m{{}, {{"WATCHDOG_USEC", "20000"}, {"WATCHDOG_PID", "1"}}};
  m.await(m.says("READY=1"));
  m.server.server().signal(SIGTERM);
  m.await(m.says("STOPPING=1"));
  CHECK(m.said("WATCHDOG=1") == 0);
}
