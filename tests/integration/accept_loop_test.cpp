// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Accept loops as servers have them that were written before they could be upgraded.
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>
#include <time.h>

using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

std::chrono::nanoseconds processor_time(pid_t pid) {
  clockid_t its{};
  timespec used{};
  REQUIRE(::clock_getcpuclockid(pid, &its) == 0);
  REQUIRE(::clock_gettime(its, &used) == 0);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

/// While the new process gets the clients, the old one only keeps one connection open. Then that
/// ends too.
void check_loop(const std::string& shape, const char* threads) {
  CAPTURE(shape);
  CAPTURE(threads);
  auto s = shaped(shape, {"--threads", threads});
  load clients{s.load_on(false)};
  REQUIRE(clients.wait_for(200, patience));
  auto held = s.hold();
  const auto done = s.upgrade();
  INFO(s.scene().report());
  REQUIRE(done.status == "exited 0");
  REQUIRE(clients.wait_for_generation(2, 100, patience));
  REQUIRE(serves_alone(2, s));

  const auto before = processor_time(s.server().pid());
  const auto began = std::chrono::steady_clock::now();
  const auto written = s.server().output().size();
  REQUIRE(clients.wait_for(4'000, patience));  // from now on, whichever process serves
  const auto used = processor_time(s.server().pid()) - before;
  const auto passed = std::chrono::steady_clock::now() - began;
  CHECK(used * 10 < passed);
  CHECK(s.server().output().size() < written + 4'000);

  CHECK_FALSE(contains(s.server().output(), "accept: "));  // it is still left alone
  held.exchange("Host: test\r\n\r\n");                     // the rest of its request
  held = s.hold();  // closes it; the new connection belongs to the new process
  const auto end = s.server().wait_exit(patience);
  REQUIRE(end);
  CHECK(end.exited(0));
  CHECK(s.server().wait_for_output("ended: generation 1", patience));
  // A context without its own executor or a moved acceptor runs out of work by itself.
  const bool stopped = contains(s.server().output(), "options::linger");
  CHECK(stopped == (shape == "coroutine-rearm" || shape == "signals" || shape == "moved"));
  CHECK(s.server().output().size() < written + 4'000);
  CHECK(clients.stop().lost() == 0);
}

}  // namespace

TEST_CASE("an accept loop that ends when it is aborted ends after its last client") {
  check_loop("ends", "1");
  check_loop("ends", "4");
}

TEST_CASE("an accept loop that only checks whether its acceptor is open stops without spinning") {
  check_loop("open", "1");
  check_loop("open", "4");
}

TEST_CASE("an accept loop that goes on after any error stops without spinning") {
  check_loop("rearm", "1");
  check_loop("rearm", "4");
}

TEST_CASE("an accept loop that throws on an error does so only when no client is served any more") {
  check_loop("throws", "1");
  check_loop("throws", "4");
}

TEST_CASE("an accept loop in a coroutine ends, whatever it does after an error") {
  check_loop("coroutine", "1");
  check_loop("coroutine-rearm", "1");
  check_loop("coroutine-rearm", "4");
}

TEST_CASE("a thread that blocks in accept is woken when no client is served any more") {
  check_loop("blocks", "1");
}

TEST_CASE(
    "a signal set that is never cancelled neither keeps an old process alive nor cuts a client") {
  check_loop("signals", "1");
}

TEST_CASE("an acceptor may be moved after it was given to listen") { check_loop("moved", "1"); }

TEST_CASE("a process that is told to drain ends, whatever its accept loop does") {
  for (const char* shape : {"ends", "open", "rearm", "throws", "coroutine-rearm", "blocks"}) {
    CAPTURE(shape);
    auto s = shaped(shape);
    std::optional<http_connection> held{s.hold()};
    process& ctl = s.start_ctl({"drain", s.control()});
    REQUIRE(ctl.wait_for_output("draining", patience));
    held->exchange("Host: test\r\n\r\n");
    held.reset();
    INFO(s.scene().report());
    CHECK(s.server().wait_exit(patience).exited(0));
  }
}

TEST_CASE("an acceptor that its application has closed is withdrawn, and clients are refused") {
  auto s = shaped("closes");
  s.server().signal(SIGHUP);
  REQUIRE(s.server().wait_for_output("closed", patience));
  CHECK(s.server().wait_for_output("listener 'http' is withdrawn", patience));
  CHECK_FALSE(contains(s.status().out, "accept queue"));
}
