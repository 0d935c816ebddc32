// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_connection.hpp"

#include "lingering_socket.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <optional>

#include <sys/socket.h>

using namespace graceful_test;
using graceful::unique_fd;
using graceful::varlink_connection;
namespace os = graceful::os;

TEST_CASE("a connection that ends does not wait for the close of a descriptor, read or unread") {
  for (const bool read : {true, false}) {
    lingering_socket late;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    const unique_fd peer{ends[1]};
    REQUIRE(lingering_socket::send(peer.get(), "half a message", late.release()));
    std::optional<varlink_connection> connection{
        varlink_connection::adopt(unique_fd{ends[0]}).value()};
    const auto taken = duration_of([&] {
      if (read)
        CHECK_FALSE(connection->receive(os::after(std::chrono::milliseconds{1})).has_value());
      connection.reset();
    });
    CHECK(taken < lingering_socket::no_wait);
  }
}
