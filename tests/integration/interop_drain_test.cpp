// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What generations of C++ and of Python report to one another, and what an operator of Python sees.
#include "relay.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace graceful_test;

namespace {

/// Repeats status until it no longer says this.
bool ceases_to_say(server_fixture& s, const std::string& text) {
  return eventually([&] { return !contains(s.status().out, text); }, patience);
}

}  // namespace

TEST_CASE(
    "a Python generation reports its remaining connections to a C++ one, and ends with them") {
  relay r;
  r.deployed(r.python({"--drain", "1min"}), 2);
  auto held = r.s.hold();
  const auto python = std::to_string(r.s.pid());
  r.deployed(r.s.command(), 3);
  CHECK(r.s.status_comes_to_say("generation 2, pid " + python + ", drains, 1 connection left"));
  CHECK(held.exchange("Host: test\r\n\r\n").generation == 2);
  CHECK(ceases_to_say(r.s, "drains"));
  CHECK(r.s.server().wait_for_output("generation 2 (pid " + python + ") has ended", patience));
  r.costs();
  r.ends();
}

TEST_CASE("connections that a Python generation cuts are counted by the C++ one that serves") {
  relay r;
  r.deployed(r.python({"--drain", "2s"}), 2);
  const auto held = r.s.hold();
  r.deployed(r.s.command(), 3);
  CHECK(ceases_to_say(r.s, "drains"));
  const auto metrics = r.s.ctl({"metrics", r.s.control()}).out;
  CHECK(contains(metrics, "graceful_connections_cut_total 1\n"));
  r.costs();
  r.ends();
}

TEST_CASE(
    "a C++ generation reports its remaining connections to a Python one, and is not hurried") {
  relay r;
  auto held = r.s.hold();
  r.deployed(r.python(), 2);
  CHECK(r.s.status_comes_to_say("drains, 1 connection left"));
  CHECK(held.exchange("Host: test\r\n\r\n").generation == 1);
  CHECK(ceases_to_say(r.s, "drains"));
  r.costs();
  r.ends();
}

TEST_CASE("three hundred listeners go to Python and back, each with its name") {
  std::vector<std::string> arguments;
  for (int i = 0; i < 300; ++i) arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  relay r{arguments};
  r.deployed(r.python(), 2);
  const auto done = r.deploy(r.s.command());
  CHECK(contains(done.out, "300 sockets passed"));
  http_load last = r.s.load_on(false);
  last.port = r.s.port(299);
  load clients{last};
  CHECK(clients.wait_for_generation(3, 20, patience));
  CHECK(clients.stop().lost() == 0);
  CHECK(contains(r.s.status().out, "http300  127.0.0.1:" + std::to_string(r.s.port(299)) + " "));
  r.costs();
}

TEST_CASE("a listener that Python does not want is served by its predecessor until the commit") {
  relay r{{"--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--probation", "1min"}};
  r.on_probation(r.python({"--leave", "http2"}), 2);
  http_load unwanted = r.s.load_on(false);
  unwanted.port = r.s.port(1);
  load clients{unwanted};
  CHECK(clients.wait_for_generation(1, 50, patience));
  CHECK(clients.stop().lost() == 0);
  CHECK(r.s.ctl({"commit", r.s.control()}).status == "exited 0");
  CHECK(r.upgrade->wait_exit(patience).exited(0));
  CHECK_FALSE(contains(r.s.status().out, "http2"));
  r.costs();
  r.ends();
}

TEST_CASE("every answer to an operator is documented, from either kind of server") {
  relay r;
  for (const std::string generation : {"1", "2"}) {
    std::vector<relay::order> orders{
        {{"org.varlink.service.GetInfo"}},
        {{"org.varlink.service.GetInterfaceDescription",
          R"({"interface": "io.graceful.Handoff"})"}},
        {{"Status"}, "reply", "\"generation\": " + generation},
        {{"Metrics"}},
        {{"Monitor", "--more", "--count", "1"}},
        {{"Abort"}, "error", "NoUpgrade"},
        {{"Commit"}, "error", "NoUpgrade"},
        {{"Rollback"}, "error", "NoUpgrade"},
        {{"Upgrade", R"({"command": ["/bin/false"]})", "--more"}, "error"},
        {{"io.graceful.Handoff.Begin", R"({"versions": [7]})"}, "error", "IncompatibleVersion"},
        {{"io.graceful.Handoff.Begin", R"({"versions": [1], "token": "stale"})"},
         "error",
         "NotExpected"},
        {{"io.graceful.Handoff.Settle"}, "error", "OutOfOrder"}};
    if (generation == "1") {
      std::string command;
      for (const auto& word : r.python()) command += (command.empty() ? "\"" : ", \"") + word + '"';
      orders.push_back(
          {{"Upgrade", R"({"command": [)" + command + "]}", "--more"}, "reply", "\"committed\""});
    }
    r.operate(orders);
  }
  r.costs();
  r.operate({{{"Drain", "--more"}, "reply", "\"drained\""}});
}
