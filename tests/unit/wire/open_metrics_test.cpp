// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/open_metrics.hpp"

#include "open_metrics.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <string>

namespace {

namespace wire = graceful::wire;
using graceful_test::parse_open_metrics;
using namespace std::chrono_literals;

wire::metrics full() {
  return {.version = "0.1.0",
          .generation = 3,
          .state = "serving",
          .so_far = {.committed = 2, .failed = 4, .rolled_back = 1, .cut = 7},
          .last_upgrade = {{"spawned", 250us}, {"ready", 12s + 5us}, {"committed", 5s}},
          .connections = 41,
          .connections_draining = 9,
          .listeners = {{"http", "[::1]:80", 2, 128}, {"admin", "[::1]:81", 0, 4096}}};
}

}  // namespace

TEST_CASE("the metrics of a server are valid OpenMetrics, each value under its name") {
  const auto got = parse_open_metrics(wire::to_open_metrics(full()));
  CHECK(got.types.at("graceful_build") == "info");
  CHECK(got.types.at("graceful_state") == "stateset");
  CHECK(got.types.at("graceful_upgrades") == "counter");
  CHECK(got.types.at("graceful_connections_cut") == "counter");
  for (const char* gauge :
       {"graceful_generation", "graceful_upgrade_phase_seconds", "graceful_connections",
        "graceful_connections_draining", "graceful_listener_accept_queue",
        "graceful_listener_accept_queue_limit"}) {
    CHECK(got.types.at(gauge) == "gauge");
  }
  CHECK(got.at("graceful_build_info{version=0.1.0}") == 1);
  CHECK(got.at("graceful_generation") == 3);
  CHECK(got.at("graceful_state{graceful_state=serving}") == 1);
  CHECK(got.at("graceful_upgrades_total{outcome=committed}") == 2);
  CHECK(got.at("graceful_upgrades_total{outcome=failed}") == 4);
  CHECK(got.at("graceful_upgrades_total{outcome=rolled_back}") == 1);
  CHECK(got.at("graceful_upgrade_phase_seconds{phase=spawned}") == doctest::Approx(0.00025));
  CHECK(got.at("graceful_upgrade_phase_seconds{phase=ready}") == doctest::Approx(12.000005));
  CHECK(got.at("graceful_upgrade_phase_seconds{phase=committed}") == 5);
  CHECK(got.at("graceful_upgrade_phase_seconds{phase=begun}") == -1);  // not reached
  CHECK(got.at("graceful_connections") == 41);
  CHECK(got.at("graceful_connections_draining") == 9);
  CHECK(got.at("graceful_connections_cut_total") == 7);
  CHECK(got.at("graceful_listener_accept_queue{listener=http}") == 2);
  CHECK(got.at("graceful_listener_accept_queue{listener=admin}") == 0);
  CHECK(got.at("graceful_listener_accept_queue_limit{listener=http}") == 128);
}

TEST_CASE("a server is in one state, and the other states are shown as 0") {
  for (const std::string state : {"starting", "serving", "upgrading", "probation", "draining"}) {
    CAPTURE(state);
    auto m = full();
    m.state = state;
    const auto got = parse_open_metrics(wire::to_open_metrics(m));
    double sum = 0;
    for (const std::string each : {"starting", "serving", "upgrading", "probation", "draining"}) {
      const auto value = got.at("graceful_state{graceful_state=" + each + '}');
      CHECK(value == (each == state ? 1 : 0));
      sum += value;
    }
    CHECK(sum == 1);
  }
}

TEST_CASE("metrics without a value are left out") {
  const auto got = parse_open_metrics(wire::to_open_metrics({.version = "0.1.0",
                                                             .generation = 1,
                                                             .state = "starting",
                                                             .so_far = {},
                                                             .last_upgrade = {},
                                                             .connections = 0,
                                                             .connections_draining = 0,
                                                             .listeners = {}}));
  CHECK_FALSE(got.types.contains("graceful_upgrade_phase_seconds"));
  CHECK_FALSE(got.types.contains("graceful_listener_accept_queue"));
  CHECK(got.at("graceful_upgrades_total{outcome=committed}") == 0);
  CHECK(got.at("graceful_connections_cut_total") == 0);
}

TEST_CASE("a listener may have any name") {
  auto m = full();
  m.listeners = {{"a\\b \"c\"\nd} 1", "[::1]:80", 5, 6}, {"gr\xc3\xbc\xc3\x9f", "[::1]:81", 7, 8}};
  const auto got = parse_open_metrics(wire::to_open_metrics(m));
  CHECK(got.at("graceful_listener_accept_queue{listener=a\\b \"c\"\nd} 1}") == 5);
  CHECK(got.at("graceful_listener_accept_queue_limit{listener=gr\xc3\xbc\xc3\x9f}") == 8);
}

TEST_CASE("the check of the format tells right from wrong") {
  const std::string head = "# TYPE a counter\n# HELP a x\n";
  CHECK_NOTHROW(parse_open_metrics(head + "a_total{b=\"c\",d=\"\"} 1\n# EOF\n"));
  CHECK_NOTHROW(parse_open_metrics("# EOF\n"));
  const std::string gauge = "# TYPE g gauge\n# HELP g x\ng 1\n";
  for (const std::string& wrong :
       {std::string{},
        head + "a_total 1\n",
        head + "a_total 1\n# EOF",
        head + "a 1\n# EOF\n",
        head + "a_total -1\n# EOF\n",
        head + "a_total x\n# EOF\n",
        head + "a_total\n# EOF\n",
        head + "a_total 1\na_total 2\n# EOF\n",
        head + "a_total{b=\"c\"d\"} 1\n# EOF\n",
        head + "a_total{b=\"\\x\"} 1\n# EOF\n",
        head + "a_total{b=\"1\",b=\"2\"} 1\n# EOF\n",
        head + "a_total{0=\"\"} 1\n# EOF\n",
        head + "# EOF\n",
        head + "a_total 1\n# EOF\n\n",
        head + "a_total 1\n" + gauge + "a_total{b=\"c\"} 1\n# EOF\n",
        gauge + gauge + "# EOF\n",
        std::string{"# TYPE g gauge\ng 1\n# EOF\n"},
        std::string{"g 1\n# EOF\n"},
        std::string{"# HELP g x\ng 1\n# EOF\n"},
        std::string{"# noise\n# EOF\n"},
        std::string{"# TYPE g gauge\n# UNIT g seconds\n# HELP g x\ng 1\n# EOF\n"},
        std::string{"# TYPE i info\n# HELP i x\ni_info 2\n# EOF\n"},
        std::string{"# TYPE s stateset\n# HELP s x\ns{t=\"u\"} 1\n# EOF\n"}}) {
    CAPTURE(wrong);
    CHECK_THROWS(parse_open_metrics(wrong));
  }
}
