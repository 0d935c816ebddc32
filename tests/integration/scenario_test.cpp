// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing.hpp>

#include "kit_servers.hpp"

#include <doctest/doctest.h>

#include <string>

#include <signal.h>

using namespace graceful::testing;
using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

deployment_params impatient(const char* flaw) {
  auto params = flawed(flaw);
  params.patience = 3s;
  return params;
}

/// The report of a deploy whose program is not a server.
std::string failed_deploy(const deployment_params& params, const scenario::params& with = {}) {
  deployment site{params};
  const auto result = scenario::good_deploy(site, with);
  CHECK_FALSE(result);
  return result.to_string();
}

}  // namespace

TEST_CASE("a good server passes all scenarios") {
  deployment site{http_server("1min")};
  for (const auto& each : scenario::all()) {
    CAPTURE(each.name);
    CHECK(each.run(site, {}));
  }
}

TEST_CASE("a bad server fails them, and the result says what happened") {
  SUBCASE("it leaks") {
    const auto said = failed_deploy(flawed("leak"));
    CHECK(contains(said, "BROKEN: nothing is left behind\n          seen: descr"));
    CHECK(contains(said, "--- timeline"));
  }
  SUBCASE("it refuses") {
    CHECK(contains(failed_deploy(impatient("refuse")), "BROKEN: no request is lost"));
  }
  SUBCASE("it cuts connections") { CHECK(contains(failed_deploy(impatient("cut")), "cut_short")); }
  SUBCASE("its new generation is not the one that answers") {
    CHECK(contains(failed_deploy(impatient("stale")), "BROKEN: generation 2 answers who comes\n"));
  }
  SUBCASE("it never becomes ready") {
    CHECK(contains(failed_deploy(flawed("unready"), {.upgrade = {.timeout = 500ms}}),
                   "BROKEN: the deploy of generation 2 commits"));
  }
  SUBCASE("it does not survive the probation of another") {
    deployment site{impatient("usurp")};
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
    auto params = impatient("cut");
    params.patience = 6s;  // within it the server has to come to rest, even on a busy machine
    deployment site{params};
    REQUIRE(site.upgrade({.until = upgrade_end::drained}).committed());
    const auto result = scenario::deploy_while_draining(site, {.connections = 0});
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "BROKEN: the server answers\n"));
  }
  SUBCASE("it takes no deploy now, so the bad program was not tried") {
    auto params = http_server("1min");
    params.patience = 3s;
    deployment site{params};
    const auto run = site.start_upgrade();
    REQUIRE(run.wait_for("ready", site.patience()));
    CHECK(contains(scenario::bad_binary(site, {.connections = 0}).to_string(),
                   "BROKEN: the deploy of a bad program fails"));
  }
  SUBCASE("it has no probation") {
    deployment site{flawed("none")};
    CHECK(scenario::good_deploy(site));
    CHECK(contains(scenario::rollback(site).to_string(), "start the server with one"));
  }
  SUBCASE("it is not alive") {
    deployment site{impatient("none")};
    site.kill(1, SIGKILL);
    REQUIRE(site.wait_gone(1));
    const auto result = scenario::good_deploy(site);
    CHECK_FALSE(result);
    CHECK(contains(result.to_string(), "signalled 9"));
  }
}
