// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "handoff/giving_up_watch.hpp"

#include <graceful/unique_fd.hpp>

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <chrono>

#include <fcntl.h>
#include <unistd.h>

using graceful::giving_up_watch;
using graceful::unique_fd;
using seen = giving_up_watch::seen;
using namespace std::chrono_literals;
namespace asio = graceful::asio;

namespace {

/// A connection with a watch on it, and the results of the next looks.
struct given_up_fixture {
  given_up_fixture() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    ours = unique_fd{ends[0]};
    peer = unique_fd{ends[1]};
    watch.start(ours.get());
    io.poll();
  }

  void say() { REQUIRE(::write(peer.get(), "x", 1) == 1); }
  void take() {
    char byte = 0;
    REQUIRE(::read(ours.get(), &byte, 1) == 1);
  }

  asio::io_context io;
  unique_fd ours, peer;
  seen next = seen::nothing;
  int looks = 0;
  giving_up_watch watch{io, {.look = [this] {
                          ++looks;
                          return next;
                        }}};
};

}  // namespace

TEST_CASE("a spurious wake-up does not end the wait for a predecessor that gives up") {
  given_up_fixture w;
  w.say();
  // A handler that runs before the wait completes makes the completion spurious.
  asio::post(w.io, [&] { w.take(); });
  w.io.poll();
  CHECK(w.looks == 1);

  w.next = seen::enough;
  w.say();
  w.io.poll();
  CHECK(w.looks == 2);
}

TEST_CASE("a watch that has seen enough is not woken again and again") {
  given_up_fixture w;
  w.next = seen::enough;
  w.peer.reset();  // readable from now on
  for (int i = 0; i < 100; ++i) w.io.poll_one();
  CHECK(w.looks == 1);
  CHECK(w.io.stopped());
}

TEST_CASE("a look that a busy application prevents is made later") {
  given_up_fixture w;
  w.next = seen::busy;
  w.say();
  w.io.poll();
  CHECK(w.looks == 1);
  w.next = seen::enough;
  w.io.run_for(10s);
  CHECK(w.looks == 2);
}

TEST_CASE("a watch that has been stopped does not look any more") {
  given_up_fixture w;
  w.next = seen::busy;
  w.say();
  w.io.poll();
  w.watch.stop();
  w.io.run_for(10s);
  CHECK(w.looks == 1);
}
