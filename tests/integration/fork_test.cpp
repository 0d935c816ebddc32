// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Children that a server forks and that execute nothing.
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include <signal.h>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

/// A server_fixture whose server forks on request.
class forking_site : public server_fixture {
 public:
  explicit forking_site(std::vector<std::string> arguments = {}, process_options options = {})
      : server_fixture{std::move(arguments), std::move(options), programs::forking_server()} {}

  /// The child that the server has forked for this request.
  pid_t child_for(const std::string& path) {
    http_connection connection{resolve("127.0.0.1", port(), patience), 0};
    connection.exchange("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n");
    const std::string text = connection.last_response();
    const std::string header = "X-Child: ";
    return static_cast<pid_t>(std::stoi(text.substr(text.find(header) + header.size())));
  }

  /// It ends by itself; this process has to reap it.
  bool ends(pid_t child) {
    const auto pidfd = open_pidfd(child);
    return !pidfd || wait_readable(pidfd.get(), patience);
  }

  /// As before the child: clients are served, there is one control path, and upgrades work.
  void check_serves() {
    CHECK(child_for("/") == 0);
    CHECK(fs::is_socket(control()));
    CHECK(fs::exists(control() + ".lock"));
    CHECK(generation() == 1);
    const auto copy = run(scene(), command());
    CHECK(copy.status == "exited 1");
    CHECK(contains(copy.all, "a server is running already as pid"));
    const auto done = upgrade();
    CHECK(done.status == "exited 0");
    CHECK(generation() == 2);
    CHECK(child_for("/") == 0);
    CHECK(server().wait_exit(patience).exited(0));
  }
};

}  // namespace

TEST_CASE("a child that a server forks, and that returns from main, costs the server nothing") {
  std::vector<std::string> arguments;
  SUBCASE("with an io_context") {}
  SUBCASE("with a pool") { arguments = {"--pool"}; }
  forking_site s{arguments};
  for (int i = 0; i < 3; ++i) {
    const auto child = s.child_for("/unwind");
    REQUIRE(child > 0);
    CHECK(s.ends(child));
  }
  s.check_serves();
}

TEST_CASE("a child that serves a connection, after notify_fork, costs the server nothing") {
  forking_site s;
  for (int i = 0; i < 3; ++i) {
    const auto child = s.child_for("/session");
    REQUIRE(child > 0);
    CHECK(child != s.server().pid());
    CHECK(s.ends(child));
  }
  s.check_serves();
}

TEST_CASE("a child that outlives a killed server does not prevent the next start") {
  forking_site s;
  auto again = s.command();
  std::string path;
  bool told_to_take_over = false;
  SUBCASE("one of fork(2)") { path = "/stay"; }
  SUBCASE("one of fork(2), and the next is told to take over") {
    path = "/stay";
    told_to_take_over = true;
  }
  SUBCASE("one of clone(2)") { path = "/clone"; }
  SUBCASE("one of clone(2), and the next is told to take over") {
    path = "/clone";
    told_to_take_over = true;
  }
  const auto child = open_pidfd(s.child_for(path));
  REQUIRE(child);
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  CHECK(s.status().status == "exited 7");
  // A child of clone(2) also holds the port, so only another one is free.
  if (path == "/stay") again = at_port(again, s.port());
  process_options options;
  if (told_to_take_over) options.environment["GRACEFUL_TAKEOVER"] = "1";
  process& next = s.scene().start(again, options);
  CHECK(next.wait_for_output("ready: generation 1 ", patience));
  CHECK(s.pid() == next.pid());
  CHECK_FALSE(wait_readable(child.get(), std::chrono::seconds{0}));
  CHECK(s.upgrade().status == "exited 0");
  CHECK(s.generation() == 2);
}

TEST_CASE("a server whose port is held by a child of a killed one names that process") {
  forking_site s;
  const auto child = s.child_for("/clone");
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  const auto next = run(s.scene(), at_port(s.command(), s.port()));
  CHECK(next.status == "exited 1");
  CHECK(contains(next.all, "it is held by pid " + std::to_string(child) + " (forking_server)"));
}

TEST_CASE("of two servers that start beside the child of a killed one, one serves") {
  forking_site s;
  REQUIRE(s.child_for("/clone") > 0);
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  process& one = s.scene().start(s.command());
  process& other = s.scene().start(s.command());
  const deadline until{patience};
  while (one.running() && other.running() && !until.passed()) {
    if (one.wait_for_output("ready: generation 1 ", std::chrono::milliseconds{20}) &&
        other.wait_for_output("ready: generation 1 ", std::chrono::milliseconds{20})) {
      break;
    }
  }
  process& winner = one.running() ? one : other;
  process& loser = one.running() ? other : one;
  CHECK(loser.wait_exit(patience).exited(1));
  CHECK(contains(loser.output(), "a server is running already"));
  CHECK(winner.wait_for_output("ready: generation 1 ", patience));
  CHECK(s.pid() == winner.pid());
}

TEST_CASE("a waiting client is told that the server was killed, although its child lives") {
  forking_site s;
  process& watch = s.start_ctl({"monitor", s.control()});
  REQUIRE(watch.wait_for_output("the server is serving", patience));
  const auto child = open_pidfd(s.child_for("/stay"));
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  CHECK(watch.wait_exit(patience));
  CHECK_FALSE(wait_readable(child.get(), std::chrono::seconds{0}));
}

TEST_CASE("a lock is not taken from a successor that serves after its predecessor has died") {
  forking_site s{{"--probation", "1min"}};
  REQUIRE(s.child_for("/clone") > 0);
  process& ctl = s.start_upgrade();
  REQUIRE(s.server().wait_for_output("ready: generation 2 ", patience));
  s.server().signal(SIGKILL);
  REQUIRE(s.server().wait_exit(patience));
  CHECK(ctl.wait_exit(patience));
  const auto copy = run(s.scene(), s.command());
  CHECK(copy.status == "exited 1");
  CHECK(contains(copy.all, "a server is running already"));
  CHECK(s.generation() == 2);
}
