// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/predecessor_driver.hpp"

#include "handoff/driver_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace wire = graceful::wire;

namespace {

using deeds = std::vector<std::string>;

std::string verdict(const boost::json::object& reply) {
  return parameters_of(reply).at("settled").as_bool() ? "stays" : "is to ask again";
}

}  // namespace

TEST_CASE("a successor is told what is on offer, and gets it with its names") {
  driver_fixture f;
  auto peer = f.connect();
  const auto begun = parameters_of(f.call(peer, wire::to_call(wire::begin{{1}, "", "systemd"})));
  const auto offer = wire::parse<wire::begun>(begun).value();
  CHECK(offer.generation == 5);
  CHECK(offer.name == "web");
  CHECK(offer.descriptors == 4);
  CHECK(offer.kept == deeds{"admin"});
  const auto batch =
      wire::parse<wire::batch>(parameters_of(f.call(peer, wire::to_call(wire::fetch{0})))).value();
  CHECK(batch.names == deeds{"@lock", "@control", "web", "admin"});
  CHECK(peer.take_descriptors().size() == 4);
}

TEST_CASE("a successor that confirms stays, and the predecessor stops accepting what it takes") {
  driver_fixture f;
  auto peer = f.take_over();
  f.call(peer, wire::to_call(wire::ready{}));
  CHECK_FALSE(f.driver.handed_over());
  CHECK(verdict(f.call(peer, wire::to_call(wire::settle{}))) == "stays");
  CHECK(f.driver.handed_over());
  CHECK(f.done == deeds{"offer", "stop"});
  CHECK(f.measured.now().totals.committed == 1);
  CHECK(f.driver.why_busy().find("handed over already") != std::string::npos);
}

TEST_CASE("a listener is dropped only if the successor cannot ask for it any more") {
  driver_fixture f;
  auto peer = f.take_over();
  SUBCASE("its list is final") {
    f.call(peer, wire::to_call(wire::ready{{"admin"}, false}));
    f.call(peer, wire::to_call(wire::settle{}));
    CHECK(f.done == deeds{"offer", "stop admin"});
  }
  SUBCASE("it may still ask for it") {
    f.call(peer, wire::to_call(wire::ready{{"admin"}, true}));
    f.call(peer, wire::to_call(wire::settle{}));
    CHECK(f.done == deeds{"offer", "stop"});
  }
  SUBCASE("it has said so in the end") {
    f.call(peer, wire::to_call(wire::ready{{"admin", "web"}, true}));
    f.call(peer, wire::to_call(wire::settle{deeds{"web"}}));
    CHECK(f.done == deeds{"offer", "stop web"});
  }
}

TEST_CASE("a successor that is lost in its probation costs nothing") {
  driver_fixture f{patience};
  {
    auto peer = f.take_over();
    f.call(peer, wire::to_call(wire::ready{}));
    peer.send_raw(wire::to_message(wire::to_call(wire::settle{})));
    REQUIRE(f.run_until([&] { return f.done.size() == 2; }));
  }
  CHECK(f.run_until([&] { return !f.driver.busy(); }));
  CHECK(f.done == deeds{"offer", "pause", "resume", "withdraw"});
  CHECK(f.driver.last_failure().starts_with("rolled back: "));
}

TEST_CASE("a second successor is refused, and the offer to the first one stays") {
  driver_fixture f;
  auto first = f.take_over();
  auto second = f.connect();
  const auto refused = f.call(second, wire::to_call(wire::begin{{1}, "", ""}));
  CHECK(text_of(refused, "error") == "io.graceful.Handoff.Busy");
  CHECK(f.done == deeds{"offer"});
  CHECK(f.mentions("refused a successor: another upgrade is under way"));
}

TEST_CASE("a call with wrong parameters changes nothing") {
  driver_fixture f;
  auto peer = f.connect();
  wire::call begin = wire::to_call(wire::begin{{1}, "", ""});
  begin.parameters["versions"] = "1";
  CHECK(text_of(f.call(peer, begin), "error") == wire::invalid_parameter);
  CHECK_FALSE(f.driver.busy());
  CHECK(f.done.empty());
}

TEST_CASE("a successor does not stay if the service manager could not be told of it") {
  driver_fixture f{patience};
  auto peer = f.take_over();
  f.call(peer, wire::to_call(wire::ready{}));
  f.objection = "the supervisor is gone";
  SUBCASE("it has this process's manager") {
    peer.send_raw(wire::to_message(wire::to_call(wire::settle{})));
    CHECK(f.run_until([&] { return !f.driver.busy(); }));
    CHECK(f.driver.last_failure() == "rolled back: the supervisor is gone");
  }
  SUBCASE("it has another manager, so the objection does not concern it") {
    peer = f.connect();
    f.io.poll();
    REQUIRE(f.run_until([&] { return !f.driver.busy(); }));
    peer = f.take_over("another");
    f.call(peer, wire::to_call(wire::ready{}));
    peer.send_raw(wire::to_message(wire::to_call(wire::settle{})));
    f.done.clear();
    REQUIRE(f.run_until([&] { return !f.done.empty(); }));
    CHECK(f.done == deeds{"pause"});
    CHECK_FALSE(f.driver.heir());
    CHECK(f.driver.successor_pid());
  }
}

TEST_CASE("a process that must not be replaced spawns no successor") {
  driver_fixture f;
  f.objection = "the supervisor would not see it";
  f.driver.upgrade();
  CHECK_FALSE(f.driver.busy());
  CHECK(f.driver.last_failure() == "the supervisor would not see it");
}

TEST_CASE("a spawned program that ends before it connects fails the upgrade by its status") {
  driver_fixture f{0ms, "exit 3"};
  f.driver.upgrade();
  CHECK(f.driver.busy());
  CHECK(f.run_until([&] { return !f.driver.busy(); }));
  CHECK(f.driver.last_failure() == "the successor exited with status 3 before it connected");
}

TEST_CASE("an upgrade can be aborted until the successor is ready, and a second one is refused") {
  driver_fixture f{0ms, "exec sleep 1000"};
  CHECK_FALSE(f.driver.abort());
  f.driver.upgrade();
  f.driver.upgrade();
  CHECK(f.mentions("no upgrade: an upgrade is under way (successor pid "));
  CHECK(f.driver.abort());
  CHECK(f.run_until([&] { return !f.driver.busy(); }));
  CHECK(f.driver.last_failure() == "an operator aborted it");
}

TEST_CASE("a process that ends takes a successor that is not ready with it") {
  driver_fixture f{0ms, "exec sleep 1000"};
  f.driver.upgrade();
  REQUIRE(f.driver.busy());
  f.driver.shutdown();  // waits for the end of the process
  CHECK(f.run_until([&] { return !f.driver.busy(); }));
  CHECK(f.mentions("upgrade failed: the server was told to end; this process ends"));
}
