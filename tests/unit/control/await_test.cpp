// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/await.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>

#include <unistd.h>

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("what waits for a timer is called once, and not if the timer is set again or cancelled") {
  asio::io_context io;
  asio::steady_timer timer{io};
  int calls = 0;
  graceful::call_after(timer, 0ms, [&] { calls += 1; });
  graceful::call_after(timer, 1ms, [&] { calls += 10; });
  io.run();
  CHECK(calls == 10);
  graceful::call_after(timer, 0ms, [&] { calls += 100; });
  timer.cancel();
  io.restart();
  io.run();
  CHECK(calls == 10);
}

TEST_CASE("what waits for a descriptor is called when it can be read, and not before") {
  asio::io_context io;
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  asio::posix::stream_descriptor in{io, ends[0]};
  int calls = 0;
  graceful::await_readable(in, [&] { ++calls; });
  io.poll();
  CHECK(calls == 0);
  REQUIRE(::close(ends[1]) == 0);  // the end of the pipe
  io.run();
  CHECK(calls == 1);
}
