// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <signal.h>
#include <sys/stat.h>

using namespace graceful_test;
namespace fs = std::filesystem;

TEST_CASE(
    "a second copy that is started by accident ends with a clear error and disturbs nothing") {
  server_fixture s;
  load clients{s.load_on(false)};
  const auto copy = run(s.scene(), s.command());
  CHECK(copy.status == "exited 1");
  CHECK(
      contains(copy.all, "a server is running already as pid " + std::to_string(s.server().pid())));
  CHECK(clients.wait_for(20, patience));
  CHECK(clients.stop().lost() == 0);
  CHECK(s.generation() == 1);
  CHECK(fs::is_socket(s.control()));
}

TEST_CASE("a second copy takes over if an option or the environment says so") {
  server_fixture s;
  load clients{s.load_on(true)};
  auto by_option = s.command();
  by_option.push_back("--takeover");
  process& second = s.scene().start(by_option);
  REQUIRE(second.wait_for_output("ready: generation 2 ", patience));
  CHECK(clients.wait_for_generation(2, 20, patience));
  REQUIRE(s.server().wait_for_output("generation 2 has taken over", patience));
  process_options by_environment;
  by_environment.environment["GRACEFUL_TAKEOVER"] = "1";
  process& third = s.scene().start(s.command(), by_environment);
  REQUIRE(third.wait_for_output("ready: generation 3 ", patience));
  CHECK(clients.wait_for_generation(3, 20, patience));
  CHECK(clients.stop().lost() == 0);
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(second.wait_exit(patience).exited(0));
  CHECK(s.pid() == third.pid());
}

TEST_CASE("GRACEFUL_TAKEOVER is not passed on: a child of the server cannot take over by it") {
  process_options options;
  options.environment["GRACEFUL_TAKEOVER"] = "1";
  server_fixture s{{}, options};
  const auto done =
      s.upgrade({"--", "/bin/sh", "-c", "env > '" + s.scene().path("env") + "'; exit 1"});
  CHECK(done.status == "exited 1");
  std::ifstream file{s.scene().path("env")};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  CHECK(contains(text, "GRACEFUL_UPGRADE="));
  CHECK_FALSE(contains(text, "GRACEFUL_TAKEOVER"));
}

TEST_CASE("a control path that a crash left behind is replaced") {
  server_fixture s;
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  REQUIRE(fs::is_socket(s.control()));
  CHECK(s.status().status == "exited 7");
  process& next = s.scene().start(s.command());
  CHECK(next.wait_for_output("ready: generation 1 ", patience));
  CHECK(s.pid() == next.pid());
}

TEST_CASE("a file that is not a socket is never replaced") {
  scene s;
  std::ofstream{s.path("control.sock")} << "precious";
  const auto server = run(
      s, {programs::http_server(), "--control", s.path("control.sock"), "--listen", "127.0.0.1:0"});
  CHECK(server.status == "exited 1");
  CHECK(contains(server.all, "exists and is no socket"));
  std::ifstream file{s.path("control.sock")};
  std::string text;
  CHECK(std::getline(file, text));
  CHECK(text == "precious");
  CHECK(run(s, {programs::graceful_ctl(), "status", s.path("control.sock")}).status == "exited 1");
}

TEST_CASE(
    "a live control path whose lock was removed is not replaced, and its server is upgraded") {
  server_fixture s;
  fs::remove(s.control() + ".lock");
  const auto copy = run(s.scene(), s.command());
  CHECK(copy.status == "exited 1");
  // The lock may be back by then.
  const bool says_why = contains(copy.all, "a process listens on the control path") ||
                        contains(copy.all, "a server is running already");
  CHECK(says_why);
  CHECK(s.pid() == s.server().pid());
  CHECK(s.upgrade().status == "exited 0");
}

TEST_CASE("if the newest generation dies a server can be started, even while an older one drains") {
  server_fixture s;
  const auto held = s.hold();
  REQUIRE(s.upgrade().status == "exited 0");
  const auto newest = open_pidfd(s.pid());
  REQUIRE(send_signal(newest, SIGKILL));
  REQUIRE(wait_readable(newest.get(), patience));
  REQUIRE(s.server().running());
  process& next = s.scene().start(s.command());
  CHECK(next.wait_for_output("ready: generation 1 ", patience));
  CHECK(s.pid() == next.pid());
}

TEST_CASE("a server whose lock file was removed can still be upgraded") {
  server_fixture s;
  fs::remove(s.control() + ".lock");
  CHECK(s.upgrade().status == "exited 0");
  CHECK(s.generation() == 2);
}

TEST_CASE("the control path has mode 0600 and disappears with the last generation") {
  server_fixture s;
  struct stat status {};
  REQUIRE(::stat(s.control().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(s.upgrade().status == "exited 0");
  REQUIRE(s.server().wait_exit(patience));
  CHECK(fs::is_socket(s.control()));
  const auto last = open_pidfd(s.pid());
  REQUIRE(send_signal(last, SIGTERM));
  CHECK(s.scene().wait_all_gone(patience));
  CHECK_FALSE(fs::exists(s.control()));
  CHECK_FALSE(fs::exists(s.control() + ".lock"));
}

TEST_CASE("a server that has not finished starting says so") {
  gated_site g;
  CHECK(contains(g.ctl({"status"}).out, "starting"));
  const auto early = g.ctl({"upgrade"});
  CHECK(early.status == "exited 75");
  CHECK(contains(early.all, "has not finished starting"));
  g.opening.open();
  CHECK(g.server.wait_for_output("generation 1 serves", patience));
}

TEST_CASE("a server that is stopped in the middle of an upgrade ends the upgrade") {
  server_fixture s;
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  REQUIRE(ctl.wait_for_output("passed", patience));
  s.server().signal(SIGTERM);
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(ctl.wait_exit(patience));
  CHECK(s.scene().wait_all_gone(patience));
  CHECK_FALSE(fs::exists(s.control()));
}
