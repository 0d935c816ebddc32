// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/run_after.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using graceful::run_after;
using namespace std::chrono_literals;

TEST_CASE(
    "what is to run after a pause runs once, and not if the timer is set again or cancelled") {
  boost::asio::io_context context;
  boost::asio::steady_timer timer{context};
  std::string ran;
  run_after(timer, 1h, [&] { ran += "first "; });
  run_after(timer, 1ms, [&] { ran += "second "; });
  context.run();
  CHECK(ran == "second ");
  run_after(timer, 1h, [&] { ran += "third "; });
  timer.cancel();
  context.restart();
  context.run();
  CHECK(ran == "second ");
}
