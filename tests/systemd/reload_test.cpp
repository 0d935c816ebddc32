// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

using namespace graceful_systemd;

namespace {

const char* const crashing = "#!/bin/sh\necho a build that does not work >&2\nexit 3\n";

}  // namespace

TEST_SUITE_BEGIN("reload");

TEST_CASE("A unit is started once its server serves, and its status names the generation") {
  service site;
  const auto started = site.start();
  INFO(site.report());
  CHECK(started.status.exited(0));
  const auto now = site.state();
  CHECK(now.active == "active");
  CHECK(now.sub == "running");
  CHECK(contains(now.status, "generation 1"));
  CHECK(site.server().pid == now.main_pid);
  CHECK(held_connection{site.port()}.finish() == 1);
}

TEST_CASE("A reload replaces the main process, and loses nothing") {
  for (const char* access : {"main", "all"}) {
    service site{{.drop_in = std::string{"NotifyAccess="} + access}};
    INFO(site.report());
    REQUIRE(site.start().status.exited(0));
    const auto before = site.main();
    both_loads loads{site.port()};
    REQUIRE(loads.go_on());
    held_connection held{site.port()};

    const auto reloaded = site.reload();
    CHECK(reloaded.status.exited(0));
    CHECK(loads.reach(2));

    const auto now = site.state();
    CHECK(now.active == "active");
    CHECK(now.sub == "running");
    CHECK(contains(now.status, "generation 2"));
    const auto main = site.main();
    CHECK(main.pid != before.pid);
    CHECK(site.server().pid == main.pid);
    CHECK(main.child_of_manager);
    const auto all = site.processes();
    CHECK(all.size() == 2);  // the old one still has a connection
    CHECK(std::any_of(all.begin(), all.end(), [&](auto& each) { return each.pid == before.pid; }));

    CHECK(held.finish() == 1);
    CHECK(site.wait_gone(before.outside));
    CHECK(loads.go_on());
    const auto seen = loads.stop();
    INFO(seen.text);
    CHECK(seen.lost == 0);
    CHECK(seen.latest > 0);
    const auto after = site.state();
    CHECK(after.active == "active");
    CHECK(after.main_pid == main.pid);
    CHECK(after.restarts == 0);
  }
}

TEST_CASE("The status shows how many connections an older process has left") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto before = site.main();
  held_connection held{site.port()};
  CHECK(site.reload().status.exited(0));
  const auto draining = site.place().wait_for(
      service::unit, [](auto& now) { return contains(now.status, "draining"); });
  INFO(draining.to_string());
  CHECK(contains(draining.status, "generation 2"));
  CHECK(contains(draining.status, "1 connection"));
  held.finish();
  CHECK(site.wait_gone(before.outside));
  const auto alone = site.place().wait_for(
      service::unit, [](auto& now) { return !contains(now.status, "draining"); });
  CHECK(contains(alone.status, "generation 2"));
}

TEST_CASE("Reloads can follow one another") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  both_loads loads{site.port()};
  constexpr std::uint64_t reloads = 5;
  for (std::uint64_t n = 1; n <= reloads; ++n) {
    CHECK(site.reload().status.exited(0));
    CHECK(loads.reach(n + 1));
    const auto now = site.state();
    CHECK(now.active == "active");
    CHECK(site.server().pid == now.main_pid);
  }
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
  CHECK(site.state().restarts == 0);
}

TEST_CASE("A reload to a build that does not work fails, says why, and costs nothing") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto before = site.main();
  both_loads loads{site.port()};
  REQUIRE(loads.go_on());

  site.place().install_script("http_server", crashing);
  const auto failed = site.reload();
  CHECK_FALSE(failed.status.exited(0));
  auto now = site.state();
  CHECK(now.active == "active");
  CHECK(now.sub == "running");
  CHECK(now.main_pid == before.pid);
  CHECK(contains(now.status, "exited with status 3"));
  CHECK(loads.go_on());

  site.place().install_program("http_server", "docs/examples/http_server");
  CHECK(site.reload().status.exited(0));
  CHECK(loads.reach(2));
  CHECK(loads.stop().lost == 0);
  now = site.state();
  CHECK(now.active == "active");
  CHECK(now.main_pid != before.pid);
  CHECK_FALSE(contains(now.status, "exited with status 3"));
}

TEST_CASE("A successor that dies in its probation does not end the unit") {
  service site{{.options = "--listen 127.0.0.1:0 --probation 1min --idle-grace 5s"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto before = site.main();
  both_loads loads{site.port()};
  REQUIRE(loads.go_on());

  process& reload = site.place().start_systemctl({"reload", service::unit});
  REQUIRE(loads.reach_by_new_connections(2));
  CHECK(site.server().state == "probation");
  CHECK(site.state().main_pid == before.pid);  // not before the commit
  for (const unit_process& each : site.processes()) {
    if (each.pid == *site.server().successor_pid) {
      CHECK(each.child_of_manager);
      CHECK(site.signal(each.outside, SIGKILL));
      break;
    }
  }
  const auto failed = reload.wait_exit(patience);
  CHECK(failed);
  CHECK_FALSE(failed.exited(0));

  CHECK(loads.go_on());
  const auto now = site.state();
  CHECK(now.active == "active");
  CHECK(now.sub == "running");
  CHECK(now.main_pid == before.pid);
  CHECK(now.restarts == 0);
  CHECK(contains(now.status, "rolled back"));
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.refused == 0);
  CHECK(seen.lost <= 2 * both_loads::clients_of_each);  // the connections of the killed one
}

TEST_CASE(
    "A successor that dies after the commit is replaced at once, even while the old one drains") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const auto first = site.main();
  held_connection held{site.port()};
  REQUIRE(site.reload().status.exited(0));
  const auto second = site.main();
  REQUIRE(second.pid != first.pid);
  both_loads loads{site.port()};
  REQUIRE(loads.reach(2));

  CHECK(site.signal(second.outside, SIGKILL));
  const auto again = site.place().wait_for(
      service::unit, [&](auto& now) { return now.sub == "running" && now.restarts == 1; });
  INFO(again.to_string());
  CHECK(again.active == "active");
  CHECK(again.main_pid != first.pid);
  CHECK(again.main_pid != second.pid);
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.refused == 0);
  CHECK(seen.lost <= 2 * both_loads::clients_of_each);  // the connections of the killed one
  CHECK(held.finish() == 1);
  CHECK(site.wait_gone(first.outside));
  CHECK(site.state().active == "active");
}

TEST_SUITE_END();
