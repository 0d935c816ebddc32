// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace graceful_systemd;

TEST_SUITE_BEGIN("example");

TEST_CASE("systemd has no complaint about the unit files") {
  service site{{.by_socket = true, .port = 8080}};
  const auto seen = site.place().run({"/usr/bin/systemd-analyze", "--man=no", "verify",
                                      "/etc/systemd/system/http_server.service",
                                      "/etc/systemd/system/http_server.socket"});
  CHECK(seen.status.exited(0));
  CHECK(seen.text == "");
}

TEST_CASE("The service runs as an unprivileged user, and is exposed to little") {
  service site;
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  const std::string status =
      site.place().read("/proc/" + std::to_string(site.main().pid) + "/status");
  CHECK(status.find("\nUid:\t0") == status.npos);
  CHECK(status.find("\nNoNewPrivs:\t1") != status.npos);
  CHECK(status.find("\nSeccomp:\t2") != status.npos);
  CHECK(status.find("\nCapBnd:\t0000000000000000") != status.npos);
  CHECK(site.place().property(service::unit, "OOMPolicy") == "continue");
  constexpr const char* at_most = "--threshold=12";  // of 100
  const auto seen = site.place().run(
      {"/usr/bin/systemd-analyze", "security", "--no-pager", at_most, service::unit});
  INFO(seen.text);
  CHECK(seen.status.exited(0));
}

TEST_CASE("Type=notify-reload does no harm before systemd 253, and works from then on") {
  service site{{.drop_in = "Type=notify-reload\nReloadSignal=SIGUSR2\nExecReload="}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  both_loads loads{site.port()};
  REQUIRE(loads.go_on());
  constexpr int first_version = 253;
  const auto version =
      site.place().run({"/usr/bin/systemctl", "--version"}).text;  // "systemd 252 ("
  if (std::stoi(version.substr(version.find(' '))) < first_version) {
    CHECK(site.place().property(service::unit, "Type") == "notify");
  } else {
    CHECK(site.place().property(service::unit, "Type") == "notify-reload");
    CHECK(site.reload().status.exited(0));
    CHECK(loads.reach(2));
    CHECK(site.server().pid == site.state().main_pid);
    CHECK(site.state().sub == "running");
  }
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
}

TEST_CASE("A user's manager runs the service too, except for the sandbox") {
  service site{{.kind = manager::user,
                .drop_in = "User=\nGroup=\nPrivateDevices=no\nPrivateTmp=no\nPrivateUsers=no\n"
                           "ProcSubset=all\nProtectControlGroups=no\nProtectHome=no\n"
                           "ProtectKernelLogs=no\nProtectKernelModules=no\n"
                           "ProtectKernelTunables=no\nProtectProc=default\nProtectSystem=no\n"}};
  INFO(site.report());
  REQUIRE(site.start().status.exited(0));
  both_loads loads{site.port()};
  CHECK(site.reload().status.exited(0));
  CHECK(loads.reach(2));
  const auto main = site.main();
  CHECK(main.child_of_manager);
  CHECK(site.server().pid == main.pid);
  CHECK(site.restart().status.exited(0));
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
}

TEST_SUITE_END();
