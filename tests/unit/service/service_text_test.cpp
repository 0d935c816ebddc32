// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "service/service_text.hpp"

#include <doctest/doctest.h>

using graceful::ending_text;
using graceful::serving_text;

TEST_CASE(
    "a service names its generation, and the others that drain and have said how many they have") {
  CHECK(serving_text(3, {}) == "generation 3 serves");
  CHECK(serving_text(3, {{.generation = 2, .pid = 812, .connections = 41}}) ==
        "generation 3 serves, 41 connections draining on 812");
  CHECK(serving_text(3, {{.generation = 1, .pid = 7, .connections = 1},
                         {.generation = 2, .pid = 8, .connections = {}}}) ==
        "generation 3 serves, 1 connection draining on 7");
}

TEST_CASE("a process that tracks no connection, and lives on, is named without a number") {
  CHECK(serving_text(3, {{.generation = 2, .pid = 812, .connections = 0}}) ==
        "generation 3 serves, pid 812 drains");
  CHECK(ending_text(0) == "ends, waiting for what still runs");
}

TEST_CASE("a service that ends says how many connections are left") {
  CHECK(ending_text(1) == "ends, 1 connection left");
  CHECK(ending_text(41) == "ends, 41 connections left");
}
