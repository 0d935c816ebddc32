// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/last_call.hpp"

#include "listen/listener_fixture.hpp"

#include "patience.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>

#include <sys/socket.h>

using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::error_code;
using graceful::log_level;

namespace {

/// A process that ends without a successor.
struct ending_web : open_web {
  explicit ending_web(graceful::last_call::settings times)
      : last{context, book.log, *home, {.done = [this] { ++done; }}, times} {}

  bool runs_until_done() {
    return graceful_test::run_until(
        context, [this] { return done > 0; }, patience);
  }

  int done = 0;
  graceful::last_call last;
};

}  // namespace

TEST_CASE("accepting ends only when the loops have emptied the queue") {
  ending_web web{{.handshake_time = 0ms, .abandoned_after = patience}};
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  web.last.begin();
  run_for(web.context, 20ms);
  CHECK(web.done == 0);
  bool accepted = false;
  web.acceptor.async_accept([&](error_code ec, const tcp::socket&) { accepted = !ec; });
  CHECK(web.runs_until_done());
  CHECK(accepted);
  CHECK(web.done == 1);
}

TEST_CASE("after the last call nobody can connect") {
  ending_web web{{.handshake_time = 20ms}};
  web.last.begin();
  CHECK_FALSE(is_reachable(web.keep_address));
  CHECK(web.runs_until_done());
}

TEST_CASE("a client in a queue that nobody empties is not reset, even if it has sent something") {
  std::chrono::milliseconds time_to_leave = patience;
  SUBCASE("and it closes") {}
  SUBCASE("and it never closes, so that it is not waited for any longer") { time_to_leave = 50ms; }
  ending_web web{{0ms, 20ms, time_to_leave}};
  const auto client = web.connect();
  REQUIRE(::send(client.get(), "hello", 5, MSG_NOSIGNAL) == 5);
  REQUIRE(web.wait_for_queue(1));
  web.last.begin();
  REQUIRE(graceful_test::run_until(
      web.context, [&] { return wait_readable(client.get(), 0ms); }, patience));
  std::array<char, 8> answer{};
  CHECK(::recv(client.get(), answer.data(), answer.size(), 0) == 0);
  CHECK(web.done == 0);  // the client may still send
  CHECK(web.book.mentions(log_level::warning, "1 connection waits in the accept queues"));
  if (time_to_leave == patience) REQUIRE(::shutdown(client.get(), SHUT_RDWR) == 0);
  CHECK(web.runs_until_done());
}

TEST_CASE("the last call can be ended early, once") {
  ending_web web{{}};
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  web.last.begin();
  web.last.end();
  web.last.end();
  CHECK(web.done == 1);
  run_for(web.context, patience);
  CHECK(web.context.stopped());  // nothing waits any more
}
