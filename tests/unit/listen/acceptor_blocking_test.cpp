// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Threads that block in an acceptor of this library.
#include "listen/listener_fixture.hpp"
#include "os/open_files.hpp"

#include "patience.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

using namespace graceful_test;
using graceful::error_code;
using namespace std::chrono_literals;

namespace {

/// A thread that accepts, and its result. No thread runs the acceptor's context.
struct blocked_accept {
  explicit blocked_accept(listening& web)
      : from{web}, done{std::async(std::launch::async, [&web] {
          error_code ec;
          tcp::endpoint from;
          const auto socket = web.acceptor.accept(from, ec);
          return std::pair{ec, socket.is_open()};
        })} {}

  ~blocked_accept() { from.acceptor.close(); }  // or the destructor would wait for it

  [[nodiscard]] bool ends() const { return done.wait_for(patience) == std::future_status::ready; }

  listening& from;
  std::future<std::pair<error_code, bool>> done;
};

bool blocks(const listening& web) {
  return eventually([&] { return web.body->somebody_blocks() == graceful::os::answer::yes; });
}

/// A thread that waits until a connection could be accepted, and its result.
std::future<error_code> blocked_wait(listening& web) {
  return std::async(std::launch::async, [&web] {
    error_code ec;
    return web.acceptor.wait(web.acceptor.wait_read, ec);
  });
}

/// Checks that `end` ends a blocked thread.
void check_ended_by(const std::function<void(listening&)>& end) {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  blocked_accept accept{web};
  REQUIRE(blocks(web));
  end(web);
  REQUIRE(accept.ends());
  CHECK(accept.done.get().first == asio::error::operation_aborted);
  CHECK(web.body->somebody_blocks() == graceful::os::answer::no);
}

}  // namespace

TEST_CASE("a thread that blocks in accept gets a connection as soon as this process accepts") {
  asio::io_context context;
  listening web{context.get_executor()};
  blocked_accept accept{web};
  REQUIRE(blocks(web));
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  CHECK(accept.done.wait_for(0s) == std::future_status::timeout);
  web.home->open();
  REQUIRE(accept.ends());
  const auto [error, is_open] = accept.done.get();
  const bool whole = !error && is_open;
  CHECK(whole);
}

TEST_CASE("a thread that blocks in accept is woken by a connection") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  blocked_accept accept{web};
  REQUIRE(blocks(web));
  const auto client = web.connect();
  REQUIRE(accept.ends());
  CHECK(accept.done.get().second);
}

TEST_CASE("a thread that blocks in accept takes nothing while this process is paused") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  blocked_accept accept{web};
  REQUIRE(blocks(web));
  web.home->pause({});
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  CHECK(accept.done.wait_for(0s) == std::future_status::timeout);
  web.home->resume();
  REQUIRE(accept.ends());
  CHECK(accept.done.get().second);
}

TEST_CASE("whatever ends an operation ends a blocked thread") {
  SUBCASE("it hands over") {
    check_ended_by([](listening& web) { web.home->stop(); });
  }
  SUBCASE("it is cancelled") {
    check_ended_by([](listening& web) { web.acceptor.cancel(); });
  }
  SUBCASE("it is closed") {
    check_ended_by([](listening& web) { web.acceptor.close(); });
  }
}

TEST_CASE("a thread that goes on after any error waits in the end, and does not spin") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  web.home->stop();
  std::atomic<int> calls{0};
  std::atomic<bool> enough{false};
  const auto loop = std::async(std::launch::async, [&] {
    while (!enough) {
      error_code ec;
      (void)web.acceptor.accept(ec);
      ++calls;
    }
  });
  CHECK(eventually([&] { return calls >= 1'000; }));
  CHECK(blocks(web));
  CHECK(calls == 1'000);
  enough = true;
  web.acceptor.cancel();
  REQUIRE(loop.wait_for(patience) == std::future_status::ready);
}

TEST_CASE("a non-blocking accept without a connection says that it would block") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  web.acceptor.non_blocking(true);
  CHECK(web.acceptor.non_blocking());
  error_code ec;
  CHECK_FALSE(web.acceptor.accept(ec).is_open());
  CHECK(ec == asio::error::would_block);
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  CHECK(web.acceptor.accept(ec).is_open());
}

TEST_CASE("a thread that waits for readiness leaves the connection in the queue") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  auto done = blocked_wait(web);
  REQUIRE(blocks(web));
  const auto client = web.connect();
  REQUIRE(done.wait_for(patience) == std::future_status::ready);
  CHECK_FALSE(done.get());
  CHECK(web.queue() == 1);
}

TEST_CASE("a thread that accepts takes from all sockets of its acceptor in turn") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  auto fd = listen_anywhere();
  const auto at = address_of(fd);
  const auto other = std::make_shared<const graceful::listening_socket>(
      graceful::listening_socket{"web", at, std::move(fd), 16});
  REQUIRE(web.body->adopt(other));
  const auto others = [&] { return graceful::os::accept_queue_of(other->fd.get()).length; };
  std::vector<graceful::unique_fd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(web.connect());
  clients.push_back(connect_to(other->address));
  REQUIRE(web.wait_for_queue(3));
  REQUIRE(eventually([&] { return others() == 1; }));
  error_code ec;
  for (int i = 0; i < 2; ++i) CHECK(web.acceptor.accept(ec).is_open());
  CHECK(others() == 0);
}

TEST_CASE("a thread that waits is told when nothing can come any more") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  auto done = blocked_wait(web);
  REQUIRE(blocks(web));
  REQUIRE(::shutdown(web.acceptor.native_handle(), SHUT_RD) == 0);
  CHECK(done.wait_for(patience) == std::future_status::ready);
  web.acceptor.close();
}

TEST_CASE("a socket that a thread has accepted is a blocking one") {
  asio::io_context context;
  listening web{context.get_executor()};
  web.home->open();
  const auto client = web.connect();
  auto socket = web.acceptor.accept();
  CHECK_FALSE(socket.native_non_blocking());
  CHECK((::fcntl(socket.native_handle(), F_GETFL) & O_NONBLOCK) == 0);
}
