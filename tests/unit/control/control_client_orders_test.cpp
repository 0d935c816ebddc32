// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What takes a while, and what a call leaves to the next.
#include <graceful/control_client.hpp>

#include "wire/control_messages.hpp"

#include "fake_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::control_client;
using graceful::errc;

namespace {

/// For a request whose time, including the 5 s that a server has after it, is nearly over.
constexpr std::chrono::milliseconds nearly_over = -5s + 10ms;

}  // namespace

TEST_CASE("an upgrade reports each phase, and returns the last one") {
  fake_server server{
      R"({"parameters":{"phase":"spawned","elapsed_ms":1,"pid":9},"continues":true})"s + '\0' +
      R"({"parameters":{"phase":"begun","elapsed_ms":2},"continues":true})" + '\0' +
      R"({"parameters":{"phase":"ready","elapsed_ms":3,"generation":4}})" + '\0'};
  std::vector<std::string> phases;
  auto client = server.client();
  const auto last = client.upgrade(
      {.command = {"server"}, .environment = {{"A", "1"}}, .timeout = 5s}, [&](const auto& phase) {
        phases.push_back(phase.phase);
        return true;
      });
  REQUIRE(last.has_value());
  CHECK(phases == std::vector<std::string>{"spawned", "begun", "ready"});
  CHECK(last->elapsed == 3ms);
  CHECK(last->generation == 4);
  CHECK_FALSE(last->pid);
  CHECK(last->json == R"({"phase":"ready","elapsed_ms":3,"generation":4})");
  const auto call = server.heard();
  CHECK(call.method == "io.graceful.Control.Upgrade");
  CHECK(call.more);
  CHECK(call.parameters.at("timeout_ms") == 5000);
}

TEST_CASE("a server that would ignore the directory is not told to start its successor there") {
  fake_server server{R"_({"parameters":{"description":"method Upgrade(command: ?[]string)"}})_"s +
                     '\0'};
  auto client = server.client();
  CHECK(client.upgrade({.directory = "/srv"}).error().code == errc::incompatible_version);
  CHECK(server.heard().method == "org.varlink.service.GetInterfaceDescription");
}

TEST_CASE("a caller that has seen enough of an upgrade need not wait for its end") {
  fake_server server{R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s +
                     '\0' + R"({"parameters":{"phase":"ready","elapsed_ms":2},"continues":true})" +
                     '\0'};
  auto client = server.client();
  const auto last = client.upgrade({}, [](const auto& phase) { return phase.phase != "ready"; });
  REQUIRE(last.has_value());
  CHECK(last->phase == "ready");
}

TEST_CASE("a reply that a call did not wait for is never taken for the answer to another") {
  const auto spawned =
      R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0';
  const auto ready = R"({"parameters":{"phase":"ready","elapsed_ms":2},"continues":true})"s + '\0';
  const auto committed = R"({"parameters":{"phase":"committed","elapsed_ms":3}})"s + '\0';
  const auto garbled = R"({"parameters":{"phase":1,"elapsed_ms":1}})"s + '\0';
  const auto is_closed = [](control_client& client) {
    for (const auto& order : {client.rollback(), client.commit(), client.abort()}) {
      REQUIRE_FALSE(order.has_value());
      CHECK(order.error().code == boost::system::errc::not_connected);
      CHECK(order.error().message.find("connect again") != std::string::npos);
    }
    CHECK(client.status().error().code == boost::system::errc::not_connected);
    CHECK(client.upgrade({}).error().code == boost::system::errc::not_connected);
    CHECK(client.drain(true).error().code == boost::system::errc::not_connected);
    CHECK(client.monitor([](const auto&) {}).error().code == boost::system::errc::not_connected);
  };
  SUBCASE("an early return") {
    fake_server server{spawned + ready + committed, false};
    auto client = server.client();
    REQUIRE(client.upgrade({}, [](const auto& p) { return p.phase != "ready"; }).has_value());
    is_closed(client);
  }
  SUBCASE("a timeout") {
    fake_server server{"", false};
    auto client = server.client(20ms);
    CHECK(client.rollback().error().code == errc::timed_out);
    is_closed(client);
  }
  SUBCASE("a garbled reply") {
    fake_server server{garbled + committed, false};
    auto client = server.client();
    CHECK(client.upgrade({}).error().code == errc::protocol_violation);
    is_closed(client);
  }
  SUBCASE("an exception") {
    fake_server server{spawned + ready + committed, false};
    auto client = server.client();
    CHECK_THROWS_AS(client.upgrade({}, [](const auto&) -> bool { throw 1; }), int);
    is_closed(client);
  }
  SUBCASE("a call within the call") {
    fake_server server{spawned + ready + committed, false};
    auto client = server.client();
    CHECK(client
              .upgrade({},
                       [&](const auto& phase) {
                         if (phase.phase == "ready") is_closed(client);
                         return true;
                       })
              .has_value());
  }
}

TEST_CASE("after its last answer, or an error, a call leaves the connection to the next one") {
  fake_server server{R"({"error":"io.graceful.Control.Busy"})"s + '\0' +
                         R"({"parameters":{"phase":"committed","elapsed_ms":3}})" + '\0' +
                         good_status + '\0',
                     false};
  auto client = server.client();
  CHECK(client.drain(false).error().code == errc::busy);
  CHECK(client.upgrade({}).value().phase == "committed");
  CHECK(client.status().value().name == "web");
}

TEST_CASE(
    "a server that does not accept the order is not waited for as long as an upgrade may take") {
  fake_server server{"", false};
  auto client = server.client(20ms);
  CHECK(client.upgrade({}).error().code == errc::timed_out);
}

TEST_CASE("an upgrade is waited for until its own time is over, and 5 s longer") {
  const auto spawned =
      R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0';
  const auto failed = R"({"error":"io.graceful.Control.UpgradeFailed"})"s + '\0';
  SUBCASE("for a server that ends a successor which was late") {
    fake_server server{spawned + failed, true, 50ms};
    auto client = server.client();
    CHECK(client.upgrade({.timeout = 1ms}).error().code == errc::upgrade_failed);
  }
  SUBCASE("and no longer, if it is not ready then") {
    fake_server server{spawned, false};
    auto client = server.client();
    CHECK(client.upgrade({.timeout = nearly_over}).error().code == errc::timed_out);
  }
}

TEST_CASE("the probation is waited for after the upgrade's own time is over") {
  fake_server server{R"({"parameters":{"phase":"ready","elapsed_ms":1},"continues":true})"s + '\0' +
                         R"({"parameters":{"phase":"committed","elapsed_ms":2}})" + '\0',
                     true, 1200ms};
  auto client = server.client();
  // The first phase has a second, and the second phase comes after that.
  const auto last = client.upgrade({.timeout = -4s});
  REQUIRE(last.has_value());
  CHECK(last->phase == "committed");
}

TEST_CASE(
    "a drain reports its progress, returns the last report, and leaves the connection usable") {
  for (const bool now : {false, true}) {
    fake_server server{
        R"({"parameters":{"phase":"draining","elapsed_ms":1,"connections":2,"cut":0},"continues":true})"s +
            '\0' + R"({"parameters":{"phase":"drained","elapsed_ms":2,"connections":0,"cut":1}})" +
            '\0' + good_status + '\0',
        false};
    std::vector<std::string> phases;
    {
      auto client = server.client();
      const auto last =
          client.drain(now, [&](const auto& progress) { phases.push_back(progress.phase); });
      REQUIRE(last.has_value());
      CHECK(last->cut == 1);
      CHECK(client.status().value().name == "web");
    }
    CHECK(phases == std::vector<std::string>{"draining", "drained"});
    const auto call = server.heard();
    CHECK(call.method == "io.graceful.Control.Drain");
    CHECK(call.more);
    CHECK(call.parameters.contains("now") == now);
  }
}

TEST_CASE("a monitor reports each event, returns the last one, and leaves the connection usable") {
  const auto event = [](const std::string& what) {
    return R"({"parameters":{"event":")" + what +
           R"(","message":"m","generation":1,"pid":2,"time_ms":3})";
  };
  fake_server server{event("started") + R"(,"continues":true})" + '\0' + event("ended") + '}' +
                         '\0' + good_status + '\0',
                     false};
  std::vector<std::string> events;
  auto client = server.client();
  const auto last = client.monitor([&](const auto& each) { events.push_back(each.event); });
  REQUIRE(last.has_value());
  CHECK(last->event == "ended");
  CHECK(events == std::vector<std::string>{"started", "ended"});
  CHECK(client.status().value().name == "web");
}

TEST_CASE("a call that the server would not accept is not sent, and the connection stays usable") {
  fake_server server{good_status + '\0', false};
  auto client = server.client();
  const std::string bytes = "\xff";
  for (const auto& request : std::vector<graceful::upgrade_request>{
           {.command = {"server", bytes}},
           {.command = {"server"}, .environment = {{bytes, "1"}}},
           {.command = {"server"}, .environment = {{"A", bytes}}}}) {
    const auto refused = client.upgrade(request).error();
    CHECK(refused.code == errc::invalid_argument);
    CHECK(refused.message.find("UTF-8") != std::string::npos);
  }
  CHECK(client.status().value().name == "web");
}

TEST_CASE("a call may have 64 KiB, with its NUL, and not a byte more") {
  fake_server server{R"({"parameters":{"phase":"committed","elapsed_ms":1}})"s + '\0', false};
  auto client = server.client();
  const auto size_with = [](std::size_t length) {
    return graceful::wire::to_message(graceful::wire::to_call(graceful::upgrade_request{
                                          .command = {std::string(length, 'x')}}))
        .size();
  };
  const std::size_t fits = graceful::wire::max_call_size - size_with(0);
  const auto refused = client.upgrade({.command = {std::string(fits + 1, 'x')}}).error();
  CHECK(refused.code == errc::invalid_argument);
  CHECK(refused.message.find("64 KiB") != std::string::npos);
  CHECK(client.upgrade({.command = {std::string(fits, 'x')}}).value().phase == "committed");
}

TEST_CASE("an upgrade that fails half-way is reported after the phases it has reached") {
  fake_server server{
      R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s + '\0' +
      R"({"error":"io.graceful.Control.UpgradeFailed","parameters":{"message":"m"}})" + '\0'};
  int phases = 0;
  auto client = server.client();
  const auto result = client.upgrade({}, [&](const auto&) { return ++phases > 0; });
  CHECK(phases == 1);
  CHECK(result.error().code == errc::upgrade_failed);
}

TEST_CASE("a server that disappears during an upgrade, or garbles a phase, is an error") {
  {
    fake_server server{R"({"parameters":{"phase":"spawned","elapsed_ms":1},"continues":true})"s +
                       '\0'};
    auto client = server.client();
    CHECK(client.upgrade({}).error().code == errc::peer_gone);
  }
  fake_server server{R"({"parameters":{"phase":1,"elapsed_ms":1}})"s + '\0'};
  auto client = server.client();
  CHECK(client.upgrade({}).error().code == errc::protocol_violation);
}
