// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/listener_host.hpp"

#include <doctest/doctest.h>

using graceful::testing::host_to_connect_to;

TEST_CASE("clients connect to where a server listens, or by loopback if it listens everywhere") {
  CHECK(host_to_connect_to("127.0.0.1:8080") == "127.0.0.1");
  CHECK(host_to_connect_to("192.0.2.7:1") == "192.0.2.7");
  CHECK(host_to_connect_to("[2001:db8::7]:8080") == "2001:db8::7");
  CHECK(host_to_connect_to("0.0.0.0:8080") == "127.0.0.1");
  CHECK(host_to_connect_to("[::]:8080") == "::1");
}
