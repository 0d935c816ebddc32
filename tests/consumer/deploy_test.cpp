// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The test kit outside the tree, under GoogleTest: DEPLOY_SERVER names the server.
#include <graceful/testing.hpp>

#include <cstdlib>

#include <gtest/gtest.h>

namespace kit = graceful::testing;

namespace {

kit::deployment_params greeter() {
  return {.command = {std::getenv("DEPLOY_SERVER"), "{control}"},
          .failed = [] { return ::testing::Test::HasFailure(); }};
}

}  // namespace

TEST(deploy, loses_nothing) {
  kit::deployment site{greeter()};
  auto load = site.start_exchange_load({.keep_alive = false, .reply = "hello\n"});
  ASSERT_TRUE(load.wait_for(10, site.patience()));
  const auto upgrade = site.start_upgrade();
  ASSERT_TRUE(upgrade.wait_for("ready", site.patience()));
  EXPECT_TRUE(load.wait_for(10, site.patience()));
  EXPECT_TRUE(site.commit());
  const auto outcome = upgrade.wait(site.patience());
  EXPECT_TRUE(outcome.committed()) << outcome;
  const auto seen = load.stop();
  site.remember(seen);
  EXPECT_EQ(seen.lost(), 0U) << seen.to_string();
  EXPECT_EQ(site.leaks(), kit::no_leaks);
}

TEST(deploy, scenarios_that_need_no_http_pass) {
  kit::deployment site{greeter()};
  for (const auto run :
       {kit::scenario::good_deploy, kit::scenario::bad_binary, kit::scenario::crash_in_probation,
        kit::scenario::rollback, kit::scenario::double_deploy, kit::scenario::deploy_storm}) {
    const auto result = run(site, {.connections = 0});
    EXPECT_TRUE(result) << result;
  }
}
