// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing.hpp>

#include "kit_servers.hpp"

#include <doctest/doctest.h>

#include <string>

#include <signal.h>

using namespace graceful::testing;
using namespace graceful_test;
using namespace std::chrono_literals;

TEST_CASE("a good server passes all scenarios") {
  deployment site{http_server("60000")};
  for (const auto& each : scenario::all()) {
    CAPTURE(each.name);
    CHECK(each.run(site, {}));
  }
}

TEST_CASE("a bad server does not pass them, and the result says what was seen") {
  SUBCASE("it leaks") {
    deployment site{flawed("leak")};
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: nothing is left behind\n          seen: descr"));
    CHECK(contains(result.to_string(), "--- timeline"));
  }
  SUBCASE("it refuses") {
    auto params = flawed("refuse");
    params.patience = 1s;
    deployment site{params};
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: no request is lost"));
  }
  SUBCASE("it cuts connections") {
    auto params = flawed("cut");
    params.patience = 1s;
    deployment site{params};
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "cut_short"));
  }
  SUBCASE("its new generation is not the one that answers") {
    auto params = flawed("stale");
    params.patience = 1s;
    deployment site{params};
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: generation 2 answers who comes\n"));
  }
  SUBCASE("it never becomes ready") {
    auto params = flawed("unready");
    params.patience = 1s;
    deployment site{params};
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: the deploy of generation 2 commits"));
  }
  SUBCASE("it does not survive the probation of another") {
    auto params = flawed("usurp");
    params.patience = 1s;
    deployment site{params};
    const auto result = scenario::crash_in_probation(site);
    INFO(result);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: "));
    CHECK(contains(result.to_string(), "generation 1, pid "));
  }
  SUBCASE("it cuts the clients of a generation that drains") {
    auto params = http_server();
    params.command.insert(params.command.end(), {"--drain", "0"});
    deployment site{params};
    const auto result = scenario::deploy_while_draining(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: the old generation's client gets its answer"));
  }
  SUBCASE("it keeps no connection open") {
    deployment site{flawed("none")};
    const auto result = scenario::deploy_while_draining(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: "));
  }
  SUBCASE("it never answers") {
    auto params = flawed("cut");
    params.patience = 1s;
    deployment site{params};
    REQUIRE(site.upgrade({.until = upgrade_end::drained}).committed());
    const auto result = scenario::deploy_while_draining(site, {.connections = 0});
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: the server answers\n"));
  }
  SUBCASE("it has no probation") {
    deployment site{flawed("none")};
    CHECK(scenario::good_deploy(site));
    CHECK(contains(scenario::rollback(site).to_string(), "start the server with one"));
  }
  SUBCASE("it does not live") {
    auto params = flawed("none");
    params.patience = 1s;
    deployment site{params};
    site.kill(1, SIGKILL);
    REQUIRE(site.wait_gone(1));
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "signalled 9"));
  }
}
