// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/latency_histogram.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
using graceful::testing::latency_histogram;

TEST_CASE("percentiles of a known distribution are its nearest ranks") {
  latency_histogram latencies;
  for (int i = 100; i >= 1; --i) latencies.add(std::chrono::microseconds{i});
  CHECK(latencies.per_mille(500) == 50us);
  CHECK(latencies.per_mille(900) == 90us);
  CHECK(latencies.per_mille(990) == 99us);
  CHECK(latencies.per_mille(999) == 100us);
  CHECK(latencies.per_mille(1000) == 100us);
  CHECK(latencies.max() == 100us);
}

TEST_CASE("one in a thousand shows in the last per mille, and in no other") {
  latency_histogram latencies;
  for (int i = 0; i < 999; ++i) latencies.add(10us);
  latencies.add(5s);
  CHECK(latencies.per_mille(999) == 10us);
  CHECK(latencies.per_mille(1000) > 4900ms);
  latencies.add(5s);
  CHECK(latencies.per_mille(999) > 4900ms);
}

TEST_CASE("a latency is rounded down by less than one in 64, and the longest not at all") {
  for (std::int64_t value = 1; value < 100'000'000; value += 1 + value / 777) {
    latency_histogram latencies;
    latencies.add(std::chrono::microseconds{value});
    const auto told = latencies.per_mille(500).count();
    CAPTURE(value);
    REQUIRE(told <= value);
    REQUIRE((value - told) * 64 < value);
    if (value < 128) REQUIRE(told == value);
    REQUIRE(latencies.max().count() == value);
  }
}

TEST_CASE("without latencies the percentiles are 0; a negative latency counts as 0") {
  latency_histogram latencies;
  CHECK(latencies.per_mille(990) == 0us);
  CHECK(latencies.max() == 0us);
  latencies.add(-1s);
  CHECK(latencies.per_mille(1000) == 0us);
}
