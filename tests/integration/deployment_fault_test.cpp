// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing.hpp>

#include "kit_servers.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

#include <signal.h>

using namespace graceful::testing;
using namespace graceful_test;
using namespace std::chrono_literals;

TEST_CASE("a fault of a deploy strikes the successor, and no later process") {
  fault_injector faults;
  auto params = http_server("1min");
  params.environment = faults.environment();
  deployment site{params};
  auto load = site.start_http_load({.connections = 2, .keep_alive = false});
  REQUIRE(load.wait_for(10, site.patience()));
  const auto struck =
      site.upgrade({.fault = fault::at_step(fault::step::ready, fault::action::kill)});
  INFO(struck);
  CHECK(struck.failed());
  CHECK_FALSE(struck.ready());
  REQUIRE(faults.fired(struck.pid, 0s));
  CHECK(faults.fired(struck.pid, 0s)->fault == "kill before step ready 1");
  CHECK(contains(struck.message, "killed by signal 9"));

  const auto run = site.start_upgrade(
      {.fault = fault::at_step(fault::step::settle, fault::action::stop, fault::moment::after, 2)});
  REQUIRE(run.wait_for("ready", site.patience()));
  REQUIRE(site.commit().has_value());
  REQUIRE(faults.fired(run.so_far().pid, site.patience()));
  REQUIRE(site.cont(2));
  CHECK(run.wait(site.patience()).committed());
  CHECK(site.wait_gone(1));

  const auto next = site.start_upgrade();
  REQUIRE(next.wait_for("ready", site.patience()));
  REQUIRE(site.commit().has_value());
  CHECK(next.wait(site.patience()).committed());
  const auto seen = load.stop();
  INFO(seen.to_string());
  CHECK(seen.lost() == 0);
  CHECK(site.leaks() == no_leaks);
}

TEST_CASE("a fault that cannot strike is refused, and no upgrade begins") {
  const auto what = fault::at_step(fault::step::ready, fault::action::kill);
  deployment plain{http_server()};
  CHECK_THROWS_AS(plain.upgrade({.fault = what}), std::invalid_argument);
  CHECK(plain.generation() == 1);

  fault_injector faults;
  auto params = http_server();
  params.environment = faults.environment();
  deployment site{params};
  CHECK_THROWS_AS(site.upgrade({.fault = fault::at_call("mkdi", 1, fault::action::kill)}),
                  std::invalid_argument);
  CHECK(site.generation() == 1);
  CHECK(site.upgrade().committed());
}
