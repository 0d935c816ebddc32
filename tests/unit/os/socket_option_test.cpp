// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/socket_option.hpp"

#include "tcp_sockets.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include <sys/socket.h>

namespace os = graceful::os;

TEST_CASE("an option has the value that was set") {
  const auto socket = graceful_test::listen_anywhere();
  REQUIRE(os::set_socket_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE, 1));
  CHECK(os::socket_option(socket.get(), SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(os::socket_option(socket.get(), SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
}

TEST_CASE("what is no socket has no options, and errno says so") {
  CHECK_FALSE(os::socket_option(0, SOL_SOCKET, SO_TYPE));
  CHECK((errno == ENOTSOCK || errno == EBADF));
  errno = 0;
  CHECK_FALSE(os::set_socket_option(-1, SOL_SOCKET, SO_KEEPALIVE, 1));
  CHECK(errno == EBADF);
}

TEST_CASE("a socket that listens is told from one that is connected, and from a file") {
  const auto listener = graceful_test::listen_anywhere();
  const auto client = graceful_test::connect_to(graceful_test::address_of(listener));
  CHECK(os::is_listening(listener.get()));
  CHECK_FALSE(os::is_listening(client.get()));
  CHECK_FALSE(os::is_listening(-1));
}
