// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/pacer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using graceful::testing::pacer;

namespace {

const pacer::time_point first_moment{12345s};

}  // namespace

TEST_CASE("requests are due at equal distances from the start, however late they are taken") {
  pacer pace{4, first_moment};
  for (int i = 0; i < 20; ++i) CHECK(pace.next() == first_moment + i * 250ms);
}

TEST_CASE("a rate that does not divide a second adds up no error") {
  pacer pace{3, first_moment};
  for (int i = 0; i < 3 * 3600; ++i) pace.next();
  CHECK(pace.next() == first_moment + 1h);
}

TEST_CASE("a rate may be less than one a second") {
  pacer pace{0.5, first_moment};
  CHECK(pace.next() == first_moment);
  CHECK(pace.next() == first_moment + 2s);
}

TEST_CASE("due requests are counted from the start, taken or not") {
  pacer pace{10, first_moment};
  CHECK(pace.due_by(first_moment - 1ns) == 0);
  CHECK(pace.due_by(first_moment) == 1);
  CHECK(pace.due_by(first_moment + 99ms) == 1);
  CHECK(pace.due_by(first_moment + 150ms) == 2);
  pace.next();
  CHECK(pace.due_by(first_moment + 1050ms) == 11);
}

TEST_CASE("several threads take each request once") {
  pacer pace{1000, first_moment};
  std::vector<std::vector<pacer::time_point>> taken(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : taken) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) mine.push_back(pace.next());
      });
    }
  }
  std::vector<pacer::time_point> all;
  for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  for (int i = 0; i < 4000; ++i) {
    REQUIRE(all.at(static_cast<std::size_t>(i)) == first_moment + i * 1ms);
  }
}
