// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "gate.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include <signal.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

/// Ends a server under load. What it has accepted, or has in its queue, is answered; only clients
/// that connect afterwards are refused.
void ends_gracefully(const std::vector<std::string>& arguments, bool keep_alive, int signal) {
  server_fixture s{arguments};
  http_load options = s.load_on(keep_alive);
  options.connections = 32;
  load clients{options};
  REQUIRE(clients.wait_for(200, patience));
  s.server().signal(signal);
  const auto end = s.server().wait_exit(patience);
  REQUIRE(end);
  const auto seen = clients.stop();
  INFO(seen.to_string(), s.scene().report());
  CHECK(end.exited(0));
  CHECK(seen.reset == 0);
  CHECK(seen.cut_short == 0);
  CHECK(seen.timed_out == 0);
  CHECK(seen.other == 0);
  CHECK_FALSE(fs::exists(s.control()));
}

}  // namespace

TEST_CASE("SIGTERM under load resets nobody: new connections") {
  ends_gracefully({"--threads", "1"}, false, SIGTERM);
}

TEST_CASE("SIGTERM under load resets nobody: kept connections, four threads") {
  ends_gracefully({"--threads", "4"}, true, SIGTERM);
}

TEST_CASE("SIGINT and SIGQUIT end a server in the same way") {
  ends_gracefully({"--threads", "2"}, false, SIGINT);
  ends_gracefully({"--threads", "2"}, false, SIGQUIT);
}

TEST_CASE("SIGTERM under load resets nobody: a plain acceptor") {
  ends_gracefully({"--plain-acceptor", "--threads", "4"}, false, SIGTERM);
}

TEST_CASE("graceful-ctl drain returns when the server has ended, and says how it went") {
  server_fixture s;
  const auto done = s.ctl({"drain", s.control()});
  CHECK(done.status == "exited 0");
  CHECK(contains(done.out, "draining, waiting for what still runs"));
  CHECK(contains(done.out, "drained\n"));
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(s.status().status == "exited 7");
}

TEST_CASE("a thousand idle connections and a hundred busy ones are drained, and none is cut") {
  server_fixture s{{"--threads", "2", "--work", "20ms", "--idle-grace", "2s"}};
  std::list<http_connection> idle;
  const auto target = resolve("127.0.0.1", s.port(), patience);
  for (unsigned i = 0; i < 1000; ++i) {
    idle.emplace_back(target, i).send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  }
  for (auto& connection : idle) connection.exchange("");  // the answer to what was sent
  http_load options = s.load_on(true);
  options.connections = 100;
  load busy{options};
  REQUIRE(s.status_comes_to_say(", 1100 connections\n"));
  const auto done = s.ctl({"drain", s.control(), "--json"});
  INFO(done.all);
  CHECK(done.status == "exited 0");
  CHECK(contains(done.out, R"("phase":"drained")"));
  CHECK(contains(done.out, R"("connections":0,"cut":0}
)"));
  for (auto& connection : idle) connection.await_close();
  const auto seen = busy.stop();
  INFO(seen.to_string());
  CHECK(seen.reset == 0);
  CHECK(seen.cut_short == 0);
}

TEST_CASE("the deadline cuts and counts the remaining connections") {
  server_fixture s{{"--drain", "300ms"}};
  auto held = s.hold();
  const auto done = s.ctl({"drain", s.control()});
  CHECK(done.status == "exited 0");
  CHECK(contains(done.out, "drained, 1 connection cut"));
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(contains(s.server().output(), "deadline has passed, 1 connection is cut"));
  CHECK_FALSE(contains(s.server().output(), "stopping the context"));  // not needed
}

TEST_CASE("drain --now also cuts a drain that is under way, and its watcher is told") {
  server_fixture s;
  auto held = s.hold();
  process& watcher = s.start_ctl({"drain", s.control()});
  REQUIRE(watcher.wait_for_output("draining 1 connection", patience));
  const auto done = s.ctl({"drain", s.control(), "--now"});
  CHECK(done.status == "exited 0");
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(watcher.wait_exit(patience).exited(0));
  CHECK(contains(watcher.output(), "1 connection cut"));
  // No deadline has passed, so none may be mentioned.
  CHECK_FALSE(contains(done.all, "deadline"));
  CHECK_FALSE(contains(watcher.output(), "deadline"));
  CHECK(contains(s.server().output(), "drain: ended at once, 1 connection is cut"));
  CHECK_FALSE(contains(s.server().output(), "deadline"));
}

TEST_CASE("a second SIGTERM ends a drain at once") {
  server_fixture s;
  auto held = s.hold();
  s.server().signal(SIGTERM);
  REQUIRE(s.server().wait_for_output("this process drains, and ends", patience));
  REQUIRE(s.server().running());
  s.server().signal(SIGTERM);
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(contains(s.server().output(), "1 connection is cut"));
}

TEST_CASE("a session that does not watch the drain is ended at the deadline too") {
  gated_site g;
  g.open();
  const auto status = g.ctl({"status"}).out;
  const auto port = std::stoi(status.substr(status.find("127.0.0.1:") + 10));
  http_connection held{resolve("127.0.0.1", static_cast<std::uint16_t>(port), patience), 0};
  held.send("GET / HTTP/1.1\r\n");
  process& watcher = g.start_ctl({"drain"});
  REQUIRE(watcher.wait_for_output("draining", patience));
  CHECK(g.ctl({"drain", "--now"}).status == "exited 0");
  CHECK(g.server.wait_exit(patience).exited(0));
  CHECK(contains(g.server.output(), "stopping the context"));
}

TEST_CASE("an application can start a drain itself, and can cut it short") {
  gated_site g;
  g.open();
  g.server.signal(SIGHUP);
  REQUIRE(g.server.wait_for_output("this process drains, and ends", patience));
  REQUIRE(g.server.running());  // its SIGHUP handler still waits
  g.server.signal(SIGHUP);
  CHECK(g.server.wait_exit(patience).exited(0));
  CHECK_FALSE(contains(g.server.output(), "stopping the context"));
}

TEST_CASE("the predecessor ends at its deadline, and the successor keeps serving") {
  server_fixture s{{"--drain", "300ms"}};
  auto held = s.hold();
  REQUIRE(s.upgrade().status == "exited 0");
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK(contains(s.server().output(), "1 connection is cut"));
  CHECK(s.generation() == 2);
}

TEST_CASE("a server that drains cannot be upgraded any more") {
  server_fixture s;
  auto held = s.hold();
  s.server().signal(SIGTERM);
  REQUIRE(s.server().wait_for_output("this process drains, and ends", patience));
  CHECK(contains(s.status().out, ", draining,"));
  const auto refused = s.upgrade();
  CHECK(refused.status == "exited 75");
  CHECK(contains(refused.all, "the server drains, and ends; start it again when it has"));
  s.server().signal(SIGUSR2);
  CHECK(s.server().wait_for_output(
      "SIGUSR2: no upgrade: the server drains, and ends; start it again when it has", patience));
}

TEST_CASE("a draining server logs at the second signal, and not before, what a further one does") {
  server_fixture s;
  auto held = s.hold();
  s.server().signal(SIGTERM);
  REQUIRE(s.server().wait_for_output("this process drains, and ends", patience));
  CHECK_FALSE(contains(s.server().output(), "drains already"));
  s.server().signal(SIGQUIT);
  CHECK(
      s.server().wait_for_output("this process drains already; a second signal ends it", patience));
}

TEST_CASE("SIGUSR2 upgrades") {
  server_fixture s;
  load clients{s.load_on(false)};
  s.server().signal(SIGUSR2);
  CHECK(clients.wait_for_generation(2, 20, patience));
  CHECK(clients.stop().lost() == 0);
  CHECK(s.server().wait_exit(patience).exited(0));
}

TEST_CASE("an upgrade by SIGUSR2 that fails is logged, and costs nothing") {
  scene where;
  const auto program = where.path("server");
  fs::create_symlink(programs::http_server(), program);
  const auto control = where.path("control.sock");
  process& server = where.start({program, "--control", control, "--listen", "127.0.0.1:0"});
  REQUIRE(server.wait_for_output("ready: generation 1", patience));
  fs::remove(program);
  fs::create_symlink("/bin/false", program);
  server.signal(SIGUSR2);
  CHECK(server.wait_for_output("upgrade failed: the successor exited with status 1", patience));
  CHECK(contains(run(where, {programs::graceful_ctl(), "status", control}).out, "generation 1"));
}

TEST_CASE("abort ends an upgrade that is not ready, and does nothing afterwards") {
  server_fixture s;
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  REQUIRE(ctl.wait_for_output("passed", patience));
  CHECK(s.ctl({"abort", s.control()}).status == "exited 0");
  CHECK(ctl.wait_exit(patience).exited(1));
  CHECK(contains(ctl.output(), "upgrade failed: an operator aborted it"));
  const auto none = s.ctl({"abort", s.control()});
  CHECK(none.status == "exited 1");
  CHECK(contains(none.all, "no upgrade is under way"));
  CHECK(s.upgrade().status == "exited 0");
}

TEST_CASE("a successor that is told to end before it is ready costs nothing") {
  server_fixture s;
  load clients{s.load_on(false)};
  gate opening{s.scene()};
  process& ctl = opening.start_upgrade(s);
  REQUIRE(ctl.wait_for_output("passed", patience));
  REQUIRE(s.server().wait_for_output("gate: initialising", patience));
  const auto pid = spawned_pid(ctl);
  REQUIRE(send_signal(open_pidfd(pid), SIGTERM));
  REQUIRE(
      s.server().wait_for_output("[" + std::to_string(pid) + "]: this process drains", patience));
  opening.open();
  CHECK(ctl.wait_exit(patience).exited(1));
  CHECK(contains(ctl.output(), "the successor gave up: it was told to end before it was ready"));
  CHECK(clients.wait_for(50, patience));
  const auto seen = clients.stop();
  CHECK(seen.lost() == 0);
  CHECK(s.generation() == 1);
}
