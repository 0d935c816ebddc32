// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/load.hpp>

#include "misbehaving_server.hpp"
#include "testing/pacer.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <thread>

using namespace graceful_test;
using clock_type = std::chrono::steady_clock;

namespace {

/// Answers, but holds the request with this number back until the gate opens.
misbehaving_server::answer pausing(gate& before, unsigned number) {
  return [&before, number](peer& to, unsigned request) {
    if (request == number) before.pass();
    to.say(reply_of(1));
  };
}

/// Lets time pass that is measured; nobody waits for an event here.
void let_pass(std::chrono::milliseconds time) {
  std::this_thread::sleep_until(clock_type::now() + time);
}

}  // namespace

TEST_CASE("a load sends exactly as many requests as its rate says") {
  misbehaving_server server{[](peer& to, unsigned) { to.say(reply_of(1)); }};
  load clients{http_load{.port = server.port(), .connections = 4, .rate = 400}};
  REQUIRE(clients.wait_for(200, patience));
  const auto before = clock_type::now();
  const auto seen = clients.stop();
  const auto after = clock_type::now();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  const pacer plan{400, seen.started};
  CHECK(seen.ok + seen.unsent >= plan.due_by(before));
  CHECK(seen.ok + seen.unsent <= plan.due_by(after));
  CHECK(before - seen.started >= 199 * 2500us);  // the 200th was not due earlier
}

TEST_CASE("with a rate, a stall counts for all requests that were due in it") {
  gate pause;
  misbehaving_server server{pausing(pause, 10)};
  load clients{http_load{.port = server.port(), .connections = 1, .rate = 1000}};
  pause.await_arrival();
  let_pass(300ms);
  pause.open();
  REQUIRE(clients.wait_for(300, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  CHECK(seen.max >= 300ms);
  // One request was due in each of its 300 ms and waited for its end, so the n slowest took 300 ms
  // less n, rounded down by 1/64 as percentiles are. How many follow depends on this thread.
  const auto slowest = [&](double share) {
    return (300ms - 1ms * std::ceil(share * static_cast<double>(seen.ok) + 1)) * 63 / 64;
  };
  CHECK(seen.p50 >= slowest(0.5));
  CHECK(seen.p90 >= slowest(0.1));
  CHECK(seen.p99 >= slowest(0.01));
}

TEST_CASE("without a rate, a stall counts for the request that it holds") {
  gate pause;
  misbehaving_server server{pausing(pause, 10)};
  load clients{http_load{.port = server.port(), .connections = 1}};
  pause.await_arrival();
  let_pass(300ms);
  pause.open();
  REQUIRE(clients.wait_for(300, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.max >= 300ms);
  CHECK(seen.p50 < 100ms);
  CHECK(seen.p90 < 300ms);
  CHECK(seen.unsent == 0);
}

TEST_CASE("requests that were due and found no client free are reported") {
  misbehaving_server server{[](peer& to, unsigned) { to.stall(); }};
  load clients{http_load{.port = server.port(), .connections = 1, .rate = 1000, .timeout = 1s}};
  while (server.requests() == 0) std::this_thread::yield();
  let_pass(100ms);
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.ok == 0);
  CHECK(seen.timed_out >= 1);
  CHECK(seen.unsent >= 100 - seen.timed_out);
}

TEST_CASE("stop() does not wait for a request that is not due yet") {
  misbehaving_server server{[](peer& to, unsigned) { to.say(reply_of(1)); }};
  load clients{http_load{.port = server.port(), .connections = 2, .rate = 0.001}};
  REQUIRE(clients.wait_for_generation(1, 1, patience));  // one in all: it may have been served by
                                                         // now
  const auto seen = clients.stop();
  CHECK(seen.ok == 1);
  CHECK(seen.unsent == 0);
}

TEST_CASE("the longest silence is the server's longest pause") {
  gate pause;
  misbehaving_server server{pausing(pause, 20)};
  const auto before = clock_type::now();
  load clients{http_load{.port = server.port(), .connections = 1}};
  pause.await_arrival();
  let_pass(200ms);
  pause.open();
  REQUIRE(clients.wait_for(5, patience));
  const auto seen = clients.stop();
  const auto after = clock_type::now();
  INFO(seen.to_string());
  CHECK(seen.longest_silence >= 200ms);
  CHECK(seen.longest_silence <= after - before);
}

TEST_CASE("one client that is answered ends the silence of the others") {
  gate pause;
  misbehaving_server server{pausing(pause, 20)};
  load clients{http_load{.port = server.port(), .connections = 2}};
  pause.await_arrival();
  const auto held = clock_type::now();
  REQUIRE(clients.wait_for(200, patience));  // the other goes on
  let_pass(500ms);
  pause.open();
  const auto released = clock_type::now();
  REQUIRE(clients.wait_for(5, patience));
  const auto seen = clients.stop();
  INFO(seen.to_string());
  CHECK(seen.max >= 500ms);
  CHECK(seen.longest_silence < released - held);
}
