// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include <sys/resource.h>

using namespace graceful_test;
using graceful::error_code;
using graceful::unique_fd;

namespace {

/// One async_accept, and its result.
struct attempt {
  std::optional<error_code> result;
  std::optional<graceful::acceptor<tcp>::socket_type> socket;

  void start(graceful::acceptor<tcp>& acceptor) {
    acceptor.async_accept([this](error_code ec, auto s) {
      result = ec;
      socket.emplace(std::move(s));
    });
  }
  [[nodiscard]] bool done() const { return result.has_value(); }
  [[nodiscard]] bool accepted() const { return result && !*result && socket->is_open(); }
  [[nodiscard]] bool aborted() const { return result == asio::error::operation_aborted; }
};

}  // namespace

TEST_CASE("an accept that starts before open() waits for it, and loses nothing") {
  asio::io_context context;
  listening web{context.get_executor()};
  const auto client = web.connect();
  attempt a;
  a.start(web.acceptor);
  context.poll();
  CHECK_FALSE(a.done());
  CHECK(web.wait_for_queue(1));
  web.home->open();
  CHECK_FALSE(a.done());  // never from within the call
  REQUIRE(run_until(context, [&] { return a.done(); }));
  CHECK(a.accepted());
}

TEST_CASE("each connection goes to one operation, in the order in which they were started") {
  open_web web;
  std::vector<attempt> attempts(3);
  for (auto& a : attempts) a.start(web.acceptor);
  for (std::size_t n = 0; n < attempts.size(); ++n) {
    const auto client = web.connect();
    CHECK(web.run_until([&] { return attempts[n].accepted(); }));
    for (std::size_t later = n + 1; later < attempts.size(); ++later) {
      CHECK_FALSE(attempts[later].done());
    }
  }
}

TEST_CASE("a connection is accepted only for an operation that waits for it") {
  open_web web;
  const auto first = web.connect();
  const auto second = web.connect();
  CHECK(web.wait_for_queue(2));
  web.context.poll();
  CHECK(web.queue() == 2);
  attempt a;
  a.start(web.acceptor);
  CHECK(web.run_until([&] { return a.accepted(); }));
  web.context.poll();
  CHECK(web.queue() == 1);
}

TEST_CASE("an accepted socket is close-on-exec and non-blocking from the start") {
  open_web web;
  attempt a;
  a.start(web.acceptor);
  const auto client = web.connect();
  REQUIRE(web.run_until([&] { return a.accepted(); }));
  CHECK(is_cloexec(a.socket->native_handle()));
  CHECK(is_nonblocking(a.socket->native_handle()));
  CHECK(a.socket->remote_endpoint().port() == address_of(client).port());
}

TEST_CASE(
    "the handler is never called from within async_accept, even if a connection already waits") {
  open_web web;
  const auto client = web.connect();
  CHECK(web.wait_for_queue(1));
  attempt a;
  a.start(web.acceptor);
  CHECK_FALSE(a.done());
  CHECK(web.run_until([&] { return a.accepted(); }));
}

TEST_CASE("stopping aborts the waiting operations, and all later ones") {
  asio::io_context context;
  listening web{context.get_executor()};
  std::vector<attempt> attempts(2);
  SUBCASE("before it was opened") {}
  SUBCASE("after") { web.home->open(); }
  for (auto& a : attempts) a.start(web.acceptor);
  context.poll();
  CHECK(web.acceptor.is_open());
  web.home->stop();
  CHECK_FALSE(web.acceptor.is_open());
  CHECK(web.acceptor.local_endpoint() == tcp::endpoint{});
  CHECK_FALSE(attempts[0].done());  // never from within the call
  CHECK(run_until(context, [&] { return attempts[0].aborted() && attempts[1].aborted(); }));
  attempt late;
  late.start(web.acceptor);
  CHECK_FALSE(late.done());
  CHECK(run_until(context, [&] { return late.aborted(); }));
  CHECK_FALSE(late.socket->is_open());
}

TEST_CASE("a stopped accept loop leaves its context with nothing to do") {
  open_web web;
  attempt a;
  a.start(web.acceptor);
  web.context.poll();
  web.home->stop();
  web.context.restart();
  web.context.run();  // returns; otherwise the test hangs
  CHECK(a.aborted());
}

TEST_CASE("cancel() aborts the waiting operations, and the acceptor goes on") {
  open_web web;
  attempt first;
  first.start(web.acceptor);
  web.acceptor.cancel();
  CHECK(web.run_until([&] { return first.aborted(); }));
  CHECK(web.acceptor.is_open());
  const auto client = web.connect();
  attempt second;
  second.start(web.acceptor);
  CHECK(web.run_until([&] { return second.accepted(); }));
}

TEST_CASE("close() closes the socket for good, and a successor does not get it") {
  open_web web;
  attempt a;
  a.start(web.acceptor);
  web.acceptor.close();
  CHECK(web.run_until([&] { return a.aborted(); }));
  CHECK_FALSE(web.acceptor.is_open());
  CHECK(web.home->sockets().empty());
  CHECK_THROWS(static_cast<void>(web.connect()));
  web.acceptor.close();
}

TEST_CASE("an acceptor knows its name, address and executor") {
  asio::io_context context;
  listening web{context.get_executor()};
  CHECK(web.acceptor.name() == "web");
  CHECK(web.acceptor.local_endpoint().address().is_loopback());
  CHECK(web.acceptor.local_endpoint().port() == web.keep_address.port());
  CHECK(web.acceptor.get_executor() == context.get_executor());
}

TEST_CASE("a connection that was reset in the queue does not end an accept") {
  open_web web;
  {
    const auto reset = web.connect();
    CHECK(web.wait_for_queue(1));
    const linger at_once{1, 0};
    REQUIRE(::setsockopt(reset.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  }
  attempt first;
  attempt second;
  first.start(web.acceptor);
  second.start(web.acceptor);
  const auto client = web.connect();
  // Linux delivers the connection that was reset; reading it reports the reset.
  CHECK(web.run_until([&] { return first.accepted() && second.accepted(); }));
}

TEST_CASE("a lack of descriptors is reported, and the acceptor goes on") {
  open_web web;
  const auto client = web.connect();
  CHECK(web.wait_for_queue(1));
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const unique_fd next{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const rlimit low{static_cast<rlim_t>(next.get()) + 1, before.rlim_max};
  attempt a;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  a.start(web.acceptor);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(web.run_until([&] { return a.done(); }));
  CHECK(*a.result == asio::error::no_descriptors);
  attempt again;
  again.start(web.acceptor);
  CHECK(web.run_until([&] { return again.accepted(); }));
}
