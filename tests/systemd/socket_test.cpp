// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace graceful_systemd;

TEST_SUITE_BEGIN("socket");

namespace {

/// Nobody else's for now: bound and given up again.
std::uint16_t free_port() {
  service any;
  REQUIRE(any.start().status.exited(0));
  return any.port();
}

}  // namespace

TEST_CASE("The first connection starts a service, and neither reload nor restart refuses one") {
  const auto port = free_port();
  service site{{.options = "--listen 127.0.0.1:" + std::to_string(port) +
                           " --probation 100 --idle-grace 200",
                .drop_in = "[Unit]\nRequires=http_server.socket\n",
                .by_socket = true,
                .port = port}};
  CHECK(site.place().systemctl({"start", service::socket_unit}).status.exited(0));
  CHECK(site.state().active == "inactive");
  CHECK(held_connection{port}.finish() == 1);
  INFO(site.report());
  CHECK(site.state().active == "active");

  both_loads loads{port};
  REQUIRE(loads.go_on());
  const auto first = site.main();
  CHECK(site.reload().status.exited(0));
  CHECK(loads.reach(2));
  CHECK(site.restart().status.exited(0));
  CHECK(loads.go_on());
  CHECK(site.signal(site.main().outside, SIGTERM));  // it ends by itself; the socket stays
  CHECK(loads.go_on());
  const auto seen = loads.stop();
  INFO(seen.text);
  CHECK(seen.lost == 0);
  CHECK(site.main().pid != first.pid);
  CHECK(site.server().listeners.size() == 1);
}

TEST_SUITE_END();
