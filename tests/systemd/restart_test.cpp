// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace graceful_systemd;

namespace {

unit_state wait_restarted(service& site, int times = 1) {
  return site.place().wait_for(service::unit, [times](const unit_state& now) {
    return now.restarts == times && now.sub == "running";
  });
}

}  // namespace

TEST_SUITE_BEGIN("restart");

TEST_CASE("A restart refuses and loses nothing: systemd holds the listener meanwhile") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  CHECK(site.state().stored == 1);
  const auto port = site.port();
  both_loads loads{port};
  REQUIRE(loads.go_on());
  const auto before = site.main();
  CHECK(site.restart().status.exited(0));
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
  const auto now = site.state();
  CHECK(now.active == "active");
  CHECK(now.main_pid != before.pid);
  CHECK(now.stored == 1);
  CHECK(site.server().generation == 1);  // a cold start
  CHECK(site.port() == port);
}

TEST_CASE("A restart after reloads finds the listener too") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto port = site.port();
  both_loads loads{port};
  for (int i = 0; i < 2; ++i) CHECK(site.reload().status.exited(0));
  CHECK(loads.reach(3));
  CHECK(site.state().stored == 1);
  CHECK(site.restart().status.exited(0));
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
  CHECK(site.port() == port);
  CHECK(site.state().stored == 1);
}

TEST_CASE("A main process that is killed is started again, and nothing is refused meanwhile") {
  for (const int reloads : {0, 1}) {
    service site;
    INFO(site.report());
    REQUIRE(site.start().status.exited(0));
    both_loads loads{site.port()};
    for (int i = 0; i < reloads; ++i) CHECK(site.reload().status.exited(0));
    REQUIRE(loads.reach(static_cast<std::uint64_t>(reloads) + 1));
    const auto before = site.main();
    CHECK(site.signal(before.outside, SIGKILL));
    const auto again = wait_restarted(site);
    INFO(again.to_string());
    CHECK(again.active == "active");
    CHECK(again.main_pid != before.pid);
    CHECK(loads.go_on());
    const auto seen = loads.stop();
    INFO(seen.text);
    CHECK(seen.refused == 0);
    CHECK(seen.timed_out == 0);
    CHECK(seen.lost <= 2 * both_loads::clients_of_each);  // the connections of the killed one
    CHECK(again.stored == 1);
  }
}

TEST_CASE("A server that hangs is killed and started again, and nothing is refused meanwhile") {
  service site{{.drop_in = "WatchdogSec=3s"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  REQUIRE(site.reload().status.exited(0));  // so that the successor sends the watchdog's pings
  both_loads loads{site.port()};
  REQUIRE(loads.reach(2));
  const auto before = site.main();
  CHECK(site.signal(before.outside, SIGSTOP));
  const auto again = wait_restarted(site);
  INFO(again.to_string());
  CHECK(again.main_pid != before.pid);
  CHECK(site.place().wait_for_log("Watchdog timeout"));
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.refused == 0);
  CHECK(seen.lost <= 2 * both_loads::clients_of_each);
}

TEST_CASE("A server that hangs does not end older generations with it") {
  service site{{.drop_in = "WatchdogSec=3s"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  held_connection held{site.port()};
  REQUIRE(site.reload().status.exited(0));
  CHECK(site.signal(site.main().outside, SIGSTOP));
  CHECK(wait_restarted(site).active == "active");
  CHECK(held.finish() == 1);
}

TEST_CASE("The watchdog leaves a healthy server alone") {
  service site{{.drop_in = "WatchdogSec=3s"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  both_loads loads{site.port()};
  const deadline some_intervals{std::chrono::seconds{9}};
  while (!some_intervals.passed()) REQUIRE(loads.go_on());
  CHECK(loads.stop().lost == 0);
  CHECK(site.state().restarts == 0);
}

TEST_CASE("A stop ends the unit when the accepted connections are served") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto main = site.main();
  const auto port = site.port();
  held_connection held{port};
  process& stop = site.place().start_systemctl({"stop", service::unit});
  const auto stopping = site.place().wait_for(service::unit, [](auto& now) {
    return now.active == "deactivating" && contains(now.status, "1 connection");
  });
  INFO(stopping.to_string());
  CHECK(stopping.active == "deactivating");
  CHECK(contains(stopping.status, "1 connection"));
  CHECK(held.finish() == 1);
  CHECK(stop.wait_exit(patience).exited(0));
  CHECK(site.wait_gone(main.outside));
  const auto now = site.state();
  CHECK(now.active == "inactive");
  CHECK(now.result == "success");
  CHECK(now.stored == 0);
  CHECK_THROWS_AS(held_connection{port}, request_lost);
  CHECK(site.processes().empty());
}

TEST_CASE("A stop or a restart in a probation ends the new process too, and loses nothing") {
  const std::string options = "--listen 127.0.0.1:0 --probation 1min --idle-grace 5s";
  for (const bool again : {true, false}) {
    service site{{.options = options}};
    INFO(site.report());
    REQUIRE(site.start().status.exited(0));
    process& reload = site.place().start_systemctl({"reload", service::unit});
    const auto probation = site.place().wait_for(
        service::unit, [](auto& now) { return contains(now.status, "in probation"); });
    REQUIRE(contains(probation.status, "in probation"));
    both_loads loads{site.port()};
    REQUIRE(loads.reach_by_new_connections(2));
    const auto both = site.processes();
    CHECK((again ? site.restart() : site.stop()).status.exited(0));
    CHECK(reload.wait_exit(patience));
    if (again) CHECK(loads.go_on());
    const auto seen = loads.stop();
    INFO(seen.text);
    if (again) CHECK(seen.lost == 0);
    for (const auto& each : both) CHECK(site.wait_gone(each.outside));
    const auto now = site.state();
    CHECK((now.active == "active") == again);  // otherwise inactive; or failed, like the reload
    CHECK(now.restarts == 0);
    CHECK(site.processes().size() == (again ? 1 : 0));
  }
}

TEST_CASE("A main process that is killed in a probation is started again, and takes over") {
  service site{{.options = "--listen 127.0.0.1:0 --probation 5s --idle-grace 5s"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  process& reload = site.place().start_systemctl({"reload", service::unit});
  site.place().wait_for(service::unit,
                        [](auto& now) { return contains(now.status, "in probation"); });
  both_loads loads{site.port()};
  REQUIRE(loads.reach_by_new_connections(2));
  const auto before = site.main();
  CHECK(site.signal(before.outside, SIGKILL));
  const auto again = wait_restarted(site);
  INFO(again.to_string());
  CHECK(again.active == "active");
  CHECK(again.main_pid != before.pid);
  CHECK(reload.wait_exit(patience));
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.refused == 0);
  CHECK(seen.timed_out == 0);
  CHECK(seen.lost <= 2 * both_loads::clients_of_each);
  CHECK(site.server().pid == site.main().pid);
}

TEST_CASE("A stop leaves the connections of an older generation alone") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto first = site.main();
  held_connection held{site.port()};
  REQUIRE(site.reload().status.exited(0));
  CHECK(site.stop().status.exited(0));
  const auto now = site.state();
  CHECK(now.active == "inactive");
  CHECK(now.result == "success");
  const auto left = site.processes();
  CHECK(left.size() == 1);
  CHECK(held.finish() == 1);
  CHECK(site.wait_gone(first.outside));
}

TEST_CASE("With another KillMode an older generation is waited for, or killed") {
  for (const bool waited : {true, false}) {
    for (const bool crash : {true, false}) {
      CAPTURE(waited);
      CAPTURE(crash);
      service site{{.drop_in = waited ? "KillMode=control-group" : "KillMode=mixed"}};
      INFO(site.report());
      REQUIRE(site.start().status.exited(0));
      held_connection held{site.port()};
      REQUIRE(site.reload().status.exited(0));
      if (crash) {
        CHECK(site.signal(site.main().outside, SIGKILL));
      } else {
        site.place().start_systemctl({"stop", service::unit});
      }
      if (waited) {
        site.place().wait_for(service::unit,
                              [](auto& now) { return contains(now.sub, "sigterm"); });
        CHECK(site.state().restarts == 0);
        CHECK(held.finish() == 1);
      }
      const auto after =
          crash ? wait_restarted(site) : site.place().wait_for(service::unit, [](auto& now) {
            return now.active == "inactive";
          });
      INFO(after.to_string());
      CHECK(after.active == (crash ? "active" : "inactive"));
      if (!waited) CHECK_THROWS_AS(held.finish(), request_lost);
    }
  }
}

TEST_CASE("A stop takes longer than its timeout, if the connections do") {
  service site{{.drop_in = "TimeoutStopSec=1s"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  held_connection held{site.port()};
  process& stop = site.place().start_systemctl({"stop", service::unit});
  CHECK_FALSE(stop.wait_exit(std::chrono::seconds{3}));
  CHECK(held.finish() == 1);
  CHECK(stop.wait_exit(patience).exited(0));
  CHECK(site.state().result == "success");
}

TEST_SUITE_END();
