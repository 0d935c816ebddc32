// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_stream.hpp"

#include "lingering_socket.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>

#include <sys/socket.h>

using namespace graceful_test;
using graceful::unique_fd;
using graceful::varlink_stream;

TEST_CASE("a stream that is stopped or destroyed does not wait for a descriptor that nobody read") {
  for (const bool stopped : {true, false}) {
    lingering_socket late;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    const unique_fd peer{ends[1]};
    REQUIRE(lingering_socket::send(peer.get(), "x", late.release()));
    boost::asio::io_context io;
    auto stream = std::make_shared<varlink_stream>(
        io, unique_fd{ends[0]}, graceful::wire::framer{64}, varlink_stream::events{});
    const auto taken = duration_of([&] {
      if (stopped) stream->stop();
      stream.reset();
    });
    CHECK(taken < lingering_socket::no_wait);
  }
}
