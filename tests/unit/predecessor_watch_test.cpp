// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "predecessor_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using graceful::predecessor_watch;
using graceful::unique_fd;
namespace asio = graceful::asio;

TEST_CASE("a wake-up for nothing is not taken for the death of the predecessor") {
  int ends[2], life[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  REQUIRE(::pipe2(life, O_CLOEXEC | O_NONBLOCK) == 0);  // readable is dead, as with a pidfd
  const unique_fd peer{ends[1]}, dead{life[1]};
  const int pidfd = life[0];
  graceful::log quiet{[](auto, auto) {}};
  asio::io_context io;
  int committed = 0, rolled_back = 0;
  predecessor_watch watch{io,
                          quiet,
                          {.pid = ::getpid(),
                           .connection = unique_fd{ends[0]},
                           .incoming = graceful::wire::framer{1024},
                           .pidfd = unique_fd{pidfd}},
                          "/nonexistent",
                          {[&] { ++committed; }, [&](const std::string&) { ++rolled_back; }}};
  watch.start();
  io.poll();

  // Asio sees that it is readable, and completes the wait after a handler that makes that untrue.
  REQUIRE(::write(dead.get(), "x", 1) == 1);
  char byte = 0;
  asio::post(io, [&] { REQUIRE(::read(pidfd, &byte, 1) == 1); });
  io.poll();
  CHECK(byte == 'x');
  REQUIRE(committed == 0);

  REQUIRE(::write(dead.get(), "x", 1) == 1);
  io.poll();
  CHECK(committed == 1);
  CHECK(rolled_back == 0);
  watch.leave();
  io.poll();
}
