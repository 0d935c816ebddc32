// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "clients.hpp"
#include "possible.hpp"
#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include <signal.h>
#include <sys/stat.h>

using namespace graceful_test;

namespace {

using words = std::vector<std::string>;

struct pool_fixture : server_fixture {
  explicit pool_fixture(words arguments = {}, process_options options = {})
      : server_fixture{std::move(arguments), std::move(options), programs::pool_server()} {}

  /// What an upgrade needs to start a server of the same kind with other arguments.
  [[nodiscard]] words with(const words& arguments) const {
    return behind_dashes(joined({programs::pool_server(), "--control", control(), "--listen",
                                 "127.0.0.1:" + std::to_string(port())},
                                arguments));
  }

  /// How many sockets listen, according to Status.
  long listeners() {
    const std::string text = status().out;
    constexpr std::string_view mark = "  accept queue ";
    long n = 0;
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) ++n;
    return n;
  }
};

/// Many, so that each thread has some.
constexpr int connecting_at_once = 32;

/// Upgrades from one command line to another and back, under load.
void there_and_back(const words& here, long sockets_here, const words& there, long sockets_there) {
  const auto first = joined(here, {"--probation", "0"});
  const auto second = joined(there, {"--probation", "0"});
  pool_fixture s{first};
  clients at_work{s, connecting_at_once};
  at_work.go_on(100);
  CHECK(s.listeners() == sockets_here);
  for (std::uint64_t generation = 2; generation <= 5; ++generation) {
    const bool away = generation % 2 == 0;
    const auto done = s.upgrade(s.with(away ? second : first));
    INFO(done.all, s.scene().report());
    REQUIRE(done.status == "exited 0");
    at_work.reach(generation, 200);
    if (generation == 2) CHECK(s.listeners() == sockets_there);
  }
  at_work.check();
}

/// A server that must not start.
finished refused(scene& where, words arguments, process_options options = {}) {
  arguments.insert(arguments.begin(), programs::pool_server());
  arguments.insert(arguments.end(), {"--control", where.path("refused.sock")});
  return run(where, std::move(arguments), std::move(options));
}

}  // namespace

TEST_CASE("a server on a pool of four threads is upgraded without losing anything") {
  there_and_back({"--threads", "4"}, 1, {"--threads", "4"}, 1);
}

TEST_CASE("a server with a socket for each of four threads is upgraded without losing anything") {
  there_and_back({"--threads", "4", "--reuse-port"}, 4, {"--threads", "4", "--reuse-port"}, 4);
}

TEST_CASE(
    "an upgrade from a socket for each of four threads to one thread, and back, loses nothing") {
  there_and_back({"--threads", "4", "--reuse-port"}, 4, {"--threads", "1", "--reuse-port"}, 4);
}

TEST_CASE("an upgrade from one thread to a socket for each of four, and back, loses nothing") {
  there_and_back({"--threads", "1", "--reuse-port"}, 1, {"--threads", "4", "--reuse-port"}, 4);
}

TEST_CASE("an upgrade from one socket for all threads to one for each, and back, loses nothing") {
  there_and_back({"--threads", "3"}, 1, {"--threads", "3", "--reuse-port"}, 3);
}

TEST_CASE("sockets that a successor adds listen only after its commit: a rollback loses nothing") {
  pool_fixture s{{"--threads", "1", "--reuse-port", "--probation", "1min"}};
  clients at_work{s, connecting_at_once};
  at_work.go_on(100);
  process& ctl = s.start_upgrade(s.with({"--threads", "4", "--reuse-port"}));
  REQUIRE(ctl.wait_for_output("ready: generation 2", patience));
  REQUIRE(at_work.connecting.wait_for_generation(2, 200, patience));
  CHECK(s.ctl({"rollback", s.control()}).status == "exited 0");
  REQUIRE(at_work.connecting.wait_for(500, patience));
  at_work.check();
  CHECK(s.generation() == 1);
}

TEST_CASE("SIGTERM under load resets nobody, with one socket or one for each thread") {
  for (const bool reuse_port : {false, true}) {
    words arguments{"--threads", "4"};
    if (reuse_port) arguments.emplace_back("--reuse-port");
    pool_fixture s{arguments};
    clients at_work{s, connecting_at_once};
    at_work.go_on(100);
    s.server().signal(SIGTERM);
    const auto end = s.server().wait_exit(patience);
    REQUIRE(end);
    CHECK(end.exited(0));
    for (load* each : {&at_work.connecting, &at_work.kept}) {
      const auto seen = each->stop();
      INFO(seen.to_string(), s.scene().report());
      CHECK(seen.lost() == seen.refused);
    }
  }
}

TEST_CASE("the deadline ends the remaining connections on every thread") {
  pool_fixture s{{"--threads", "3", "--drain", "300ms"}};
  std::list<http_connection> held;
  for (int i = 0; i < 3; ++i) held.push_back(s.hold());
  const auto done = s.ctl({"drain", s.control()});
  CHECK(done.status == "exited 0");
  CHECK(contains(done.all, "drained, 3 connections cut"));
  CHECK(s.server().wait_exit(patience).exited(0));
  CHECK_FALSE(contains(s.server().output(), "stopping the context"));  // not needed
}

TEST_CASE("a server that runs out of descriptors logs it, waits, and loses no client") {
  process_options few;
  few.descriptor_limit = 40;
  // UBSan checks through a pipe whether an object is readable; without one it takes a good vptr for
  // a bad one. That report must go to standard error: there is no descriptor for its own file
  // either.
  few.environment = {{"UBSAN_OPTIONS", "halt_on_error=0"}, {"ASAN_OPTIONS", ""}};
  pool_fixture s{{"--threads", "2"}, few};
  const auto target = resolve("127.0.0.1", s.port(), patience);
  std::list<http_connection> clients;
  for (unsigned i = 0; i < 50; ++i) {
    clients.emplace_back(target, i).send("GET / HTTP/1.1\r\nConnection: close\r\n");
  }
  REQUIRE(s.server().wait_for_output("cannot accept: Too many open files; trying again", patience));
  for (auto& client : clients) client.exchange("\r\n");
  s.server().signal(SIGTERM);
  CHECK(s.server().wait_exit(patience).exited(0));
}

TEST_CASE("an invalid or foreign address ends the server with an error that says so") {
  scene where;
  const auto none = refused(where, {"--listen", "localhost:0"});
  CHECK(none.status == "exited 1");
  CHECK(contains(none.all,
                 "cannot listen on 'localhost': it is no IP address; give one like 127.0.0.1"));
  const auto nobodys = refused(where, {"--listen", "192.0.2.1:0"});
  CHECK(nobodys.status == "exited 1");
  CHECK(contains(nobodys.all, "no interface of this machine has that address"));
}

TEST_CASE("a port in use ends the server with an error that says so, as a group or not") {
  pool_fixture s{{"--threads", "2", "--reuse-port"}};
  const auto taken = "127.0.0.1:" + std::to_string(s.port());
  scene where;
  for (const words& arguments : {words{"--listen", taken}, {"--listen", taken, "--reuse-port"}}) {
    const auto other = refused(where, arguments);
    CHECK(other.status == "exited 1");
    CHECK(contains(other.all, "cannot bind to " + taken + ": Address already in use"));
    CHECK(contains(other.all, "it is held by pid"));
  }
}

TEST_CASE("a privileged port ends an ordinary user's server with an error that says so") {
  if (!others_can_run(programs::pool_server())) return;
  scene where;
  const auto directory = where.path("nobody");
  REQUIRE(::mkdir(directory.c_str(), 0700) == 0);
  REQUIRE(::chown(directory.c_str(), 65534, 65534) == 0);
  process_options nobody;
  nobody.user = 65534;
  const auto low =
      run(where,
          {programs::pool_server(), "--listen", "127.0.0.1:80", "--control", directory + "/c.sock"},
          nobody);
  INFO(low.all);
  CHECK(low.status == "exited 1");
  CHECK(
      contains(low.all, "cannot bind to 127.0.0.1:80: Permission denied; low ports are for root"));
}

TEST_CASE("no threads, or an invalid control path, ends the server with an error") {
  scene where;
  const auto idle = refused(where, {"--threads", "0", "--listen", "127.0.0.1:0"});
  CHECK(idle.status == "exited 1");
  CHECK(contains(idle.all, "a pool of 0 io_contexts can run nothing"));
  const auto nowhere = run(where, {programs::pool_server(), "--listen", "127.0.0.1:0", "--control",
                                   where.path("no/such/c.sock")});
  CHECK(nowhere.status == "exited 1");
  CHECK(contains(nowhere.all, "no/such of the control path does not exist"));
}
