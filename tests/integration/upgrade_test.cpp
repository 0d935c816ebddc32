// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/census.hpp>

#include "gate.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace graceful_test;

namespace {

/// Upgrades under load, and checks that each generation serves before the next begins.
void upgrade_under_load(const std::vector<std::string>& arguments, bool keep_alive, int upgrades) {
  server_fixture s{arguments};
  load clients{s.load_on(keep_alive)};
  REQUIRE(clients.wait_for(50, patience));
  for (int i = 0; i < upgrades; ++i) {
    const auto done = s.upgrade();
    INFO(done.all);
    REQUIRE(done.status == "exited 0");
    REQUIRE(clients.wait_for_generation(static_cast<std::uint64_t>(i) + 2, 50, patience));
  }
  const auto seen = clients.stop();
  INFO(seen.to_string(), s.scene().report());
  CHECK(seen.lost() == 0);
  CHECK(seen.by_generation.size() == static_cast<std::size_t>(upgrades) + 1);
  CHECK(s.generation() == upgrades + 1);
}

}  // namespace

TEST_CASE("clients that keep connections alive notice nothing of five upgrades") {
  upgrade_under_load({"--threads", "1"}, true, 5);
}

TEST_CASE("clients that connect for each request notice nothing of five upgrades") {
  upgrade_under_load({"--threads", "1"}, false, 5);
}

TEST_CASE("a server with four threads is upgraded without losing a kept connection") {
  upgrade_under_load({"--threads", "4"}, true, 5);
}

TEST_CASE("a server with four threads is upgraded without losing a new connection") {
  upgrade_under_load({"--threads", "4"}, false, 5);
}

TEST_CASE("requests that take longer than the handoff are answered by the process that took them") {
  upgrade_under_load({"--threads", "2", "--work", "20ms"}, true, 3);
}

TEST_CASE("a server that owns a plain acceptor, on one thread, loses nothing") {
  upgrade_under_load({"--plain-acceptor", "--threads", "1"}, false, 5);
}

TEST_CASE("a server that owns a plain acceptor, on four threads without a strand, loses nothing") {
  upgrade_under_load({"--plain-acceptor", "--threads", "4"}, false, 5);
}

TEST_CASE("a server whose standard error nobody reads any more can still be upgraded") {
  // With the default action of SIGPIPE, which Python ignores for itself.
  gated_site g{
      {"/usr/bin/python3", "-c",
       "import os, signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL); r, w = os.pipe(); "
       "os.dup2(w, 2); os.close(r); os.close(w); os.execv(sys.argv[1], sys.argv[1:])"}};
  g.open();
  process& ctl = g.start_ctl({"upgrade"});
  REQUIRE(ctl.wait_for_output("passed", patience));
  g.opening.open();
  const auto end = ctl.wait_exit(patience);
  REQUIRE(end);
  INFO(g.where.report());
  CHECK(end.exited(0));
  CHECK(g.server.wait_for_output("gate: ready as generation 2", patience));
}

TEST_CASE("a plain acceptor whose queue is never empty still stops, and its process ends") {
  for (const char* threads : {"1", "4"}) {
    server_fixture s{{"--plain-acceptor", "--threads", threads}};
    http_load many = s.load_on(false);
    many.connections = 64;
    load clients{many};
    REQUIRE(clients.wait_for(500, patience));
    REQUIRE(s.upgrade().status == "exited 0");
    const auto end = s.server().wait_exit(patience);
    REQUIRE(end);
    CHECK(end.exited(0));
    CHECK(clients.stop().lost() == 0);
    CHECK_FALSE(s.server().wait_for_output("http_server: accept:", std::chrono::seconds{0}));
  }
}

TEST_CASE("listeners over IPv4 and IPv6 are handed over together") {
  server_fixture s{{"--listen", "127.0.0.1:0", "--listen", "[::1]:0"}};
  http_load v4 = s.load_on(false);
  http_load v6 = s.load_on(true);
  v6.host = "::1";
  v6.port = s.port(1);
  load first{v4};
  load second{v6};
  REQUIRE(first.wait_for(20, patience));
  REQUIRE(second.wait_for(20, patience));
  CHECK(s.upgrade().status == "exited 0");
  CHECK(first.wait_for_generation(2, 20, patience));
  CHECK(second.wait_for_generation(2, 20, patience));
  CHECK(first.stop().lost() == 0);
  CHECK(second.stop().lost() == 0);
}

TEST_CASE("each generation knows its own predecessor, and names it while that one drains") {
  server_fixture s;
  REQUIRE(s.upgrade().status == "exited 0");
  REQUIRE(s.server().wait_exit(patience));
  const auto second = s.pid();
  const auto held = s.hold();
  REQUIRE(s.upgrade().status == "exited 0");
  CHECK(contains(s.status().out, "generation 2, pid " + std::to_string(second) + ", drains"));
}

TEST_CASE("a generation holds no more than the one before it") {
  server_fixture s{{"--threads", "2"}};
  REQUIRE(s.upgrade().status == "exited 0");
  REQUIRE(s.server().wait_for_output("has ended", patience));
  const auto second = s.at_rest(s.pid());
  for (int i = 0; i < 5; ++i) {
    REQUIRE(s.upgrade().status == "exited 0");
    const auto gone = "generation " + std::to_string(i + 3) + " serves";
    REQUIRE(s.server().wait_for_output(gone, patience));
  }
  const auto last = s.pid();
  INFO(take_census(last).to_string(), "\n", second.to_string());
  CHECK(wait_for_census(last, second, patience));
  CHECK(descriptors_without_cloexec(last).empty());
}

TEST_CASE("the successor gets the environment it is given, its connection, and no more") {
  server_fixture s;
  const auto done = s.upgrade({"--env", "GREETING=guten Tag", "--", "/bin/sh", "-c",
                               "env > '" + s.scene().path("env") + "'; ls -l /proc/$$/fd > '" +
                                   s.scene().path("fds") + "'; exit 9"});
  CHECK(done.status == "exited 1");
  CHECK(contains(done.all, "exited with status 9"));
  const auto look = [&](const char* what, const char* where) {
    return run(s.scene(), {"/bin/grep", "-c", what, s.scene().path(where)}).out;
  };
  CHECK(look("^GREETING=guten Tag$", "env") == "1\n");
  CHECK(look("^GRACEFUL_UPGRADE=", "env") == "1\n");
  CHECK(look("3 -> socket:", "fds") == "1\n");
  CHECK(look("socket:", "fds") == "1\n");
  CHECK(look("eventpoll", "fds") == "0\n");
}

TEST_CASE("a symbolic link that points to another build by then is resolved again") {
  namespace fs = std::filesystem;
  scene place;
  const auto point_to = [&](const std::string& target) {
    fs::create_symlink(target, place.path("next"));
    fs::rename(place.path("next"), place.path("current"));
  };
  const auto upgrade = [&] {
    return run(place, {programs::graceful_ctl(), "upgrade", place.path("c.sock")});
  };
  const auto other_build = place.path("other-build");
  std::ofstream{other_build} << "#!/bin/sh\nexit 7\n";
  fs::permissions(other_build, fs::perms::owner_all);
  point_to(programs::http_server());
  process& server = place.start({place.path("current"), "--control", place.path("c.sock"),
                                 "--listen", "127.0.0.1:0", "--probation", "0"});
  REQUIRE(server.wait_for_output("ready: generation 1 ", patience));

  point_to(other_build);
  CHECK(contains(upgrade().all, "exited with status 7"));
  point_to(programs::http_server());
  CHECK(upgrade().status == "exited 0");
}

TEST_CASE("three hundred listeners are handed over, each under its own name") {
  std::vector<std::string> arguments;
  for (int i = 0; i < 300; ++i) arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  server_fixture s{arguments};
  const auto done = s.upgrade();
  INFO(done.all);
  CHECK(done.status == "exited 0");
  CHECK(contains(done.out, "300 sockets passed"));
  REQUIRE(s.server().wait_for_output("ready: generation 2 ", patience));
  // Each line "listening on" appears twice now: the same ports in the same order.
  const std::string text = s.server().stdout_text();
  const std::string second = text.substr(text.find("ready: generation 1 "));
  for (std::size_t i = 0; i < 300; ++i) {
    REQUIRE(contains(second, "127.0.0.1:" + std::to_string(s.port(i)) + "\n"));
  }
  http_load last = s.load_on(false);
  last.port = s.port(299);
  load clients{last};
  CHECK(clients.wait_for_generation(2, 20, patience));
  CHECK(clients.stop().lost() == 0);
}

TEST_CASE("a name that was handed over with another address is bound again, and the log says so") {
  server_fixture s;
  auto command = s.command();
  command.back() = "127.0.0.2:0";
  const auto done = s.upgrade(behind_dashes(command));
  INFO(done.all);
  CHECK(done.status == "exited 0");
  CHECK(s.server().wait_for_output(
      "listener 'http' was handed over bound to 127.0.0.1:" + std::to_string(s.port()) +
          ", but is to listen on 127.0.0.2:0: bound again",
      patience));
}

TEST_CASE("a listener that the successor does not ask for is dropped, and everybody is told so") {
  server_fixture s{{"--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"}};
  auto command = s.command();
  command.resize(command.size() - 2);
  CHECK(s.upgrade(behind_dashes(command)).status == "exited 0");
  CHECK(s.server().wait_for_output("is dropped: this build does not listen on it", patience));
}
