// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/socket_address.hpp"

#include "tcp_sockets.hpp"

#include <doctest/doctest.h>

#include <array>

#include <sys/un.h>

using namespace graceful_test;
using graceful::os::socket_address;

TEST_CASE("an address is written in the usual form") {
  CHECK(v4("127.0.0.1", 80).to_string() == "127.0.0.1:80");
  CHECK(v4("0.0.0.0", 65535).to_string() == "0.0.0.0:65535");
  CHECK(v6("::1", 80).to_string() == "[::1]:80");
  CHECK(v6("::", 0).to_string() == "[::]:0");
  CHECK(v6("fe80::1", 80, 2).to_string() == "[fe80::1%2]:80");
  CHECK(v6("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535, 4294967295).to_string() ==
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

TEST_CASE("an address of another family says so") {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  const socket_address address{reinterpret_cast<const sockaddr*>(&a), sizeof a};
  CHECK(address.family() == AF_UNIX);
  CHECK(address.to_string() == "an address of family 1");
  CHECK(socket_address{}.to_string() == "an address of family 0");
}

TEST_CASE("an address satisfies itself, and port 0 is satisfied by any port") {
  CHECK(v4("127.0.0.1", 80).satisfies(v4("127.0.0.1", 80)));
  CHECK(v4("127.0.0.1", 80).satisfies(v4("127.0.0.1", 0)));
  CHECK(v6("::1", 80).satisfies(v6("::1", 80)));
  CHECK(v6("::1", 80).satisfies(v6("::1", 0)));
  CHECK_FALSE(v4("127.0.0.1", 0).satisfies(v4("127.0.0.1", 80)));
  CHECK_FALSE(v4("127.0.0.1", 81).satisfies(v4("127.0.0.1", 80)));
}

TEST_CASE("another address, family or scope does not satisfy") {
  CHECK_FALSE(v4("127.0.0.2", 80).satisfies(v4("127.0.0.1", 80)));
  CHECK_FALSE(v4("0.0.0.0", 80).satisfies(v4("127.0.0.1", 80)));
  CHECK_FALSE(v6("::2", 80).satisfies(v6("::1", 80)));
  CHECK_FALSE(v6("::ffff:127.0.0.1", 80).satisfies(v4("127.0.0.1", 80)));
  CHECK_FALSE(v4("0.0.0.0", 80).satisfies(v6("::", 80)));
  CHECK_FALSE(v6("fe80::1", 80, 1).satisfies(v6("fe80::1", 80, 2)));
  CHECK_FALSE(socket_address{}.satisfies(socket_address{}));
}

TEST_CASE("the address of a socket is the one it is bound to") {
  const auto socket = listen_anywhere();
  const auto address = socket_address::bound_to(socket.get());
  CHECK(address.family() == AF_INET);
  CHECK(address.port() != 0);
  CHECK(address.size() == sizeof(sockaddr_in));
  CHECK(address.satisfies(v4("127.0.0.1")));
  CHECK_NOTHROW(connect_to(address));
}

TEST_CASE("a descriptor that is not a socket has no address") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const graceful::unique_fd in{ends[0]};
  const graceful::unique_fd out{ends[1]};
  CHECK(socket_address::bound_to(in.get()).family() == AF_UNSPEC);
  CHECK(socket_address::bound_to(-1).family() == AF_UNSPEC);
}
