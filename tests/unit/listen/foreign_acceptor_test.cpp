// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// How the loops of acceptors end that the application owns, where its threads are busy, block, or
// do not run at all.
#include <graceful/upgrader.hpp>

#include "patience.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

using namespace graceful_test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;

namespace {

/// A server with a plain acceptor.
struct plain_server {
  explicit plain_server(std::chrono::milliseconds linger = 2s) {
    up.emplace(io, graceful::options{.control_path = place.path("s.sock"),
                                     .linger = linger,
                                     .log = [this](auto, std::string_view text) {
                                       const std::lock_guard lock{mutex};
                                       said += std::string{text} + '\n';
                                     }});
    up->listen(acceptor, "web", {asio::ip::address_v4::loopback(), 0});
    at = acceptor.local_endpoint();
    up->ready();
  }

  bool has_said(std::string_view text) {
    const std::lock_guard lock{mutex};
    return said.find(text) != std::string::npos;
  }

  /// False if clients can still connect at the end.
  bool becomes_refused() {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < until) {
      asio::io_context elsewhere;
      tcp::socket client{elsewhere};
      error_code refused;
      if (client.connect(at, refused)) return true;
    }
    return false;
  }

  temporary_directory place;
  std::mutex mutex;
  std::string said;
  asio::io_context io;
  tcp::acceptor acceptor{io};
  std::optional<graceful::upgrader> up;
  tcp::endpoint at;
};

/// A thread that blocks in accept(), and its result.
std::future<error_code> block_in_accept(plain_server& s) {
  auto ended = std::async(std::launch::async, [&s] {
    error_code ec;
    for (int i = 0; i < 2 && !ec; ++i) s.acceptor.accept(ec).close();
    return ec;
  });
  // The thread has accepted one connection, and is about to wait for the next.
  asio::io_context elsewhere;
  tcp::socket client{elsewhere};
  client.connect(s.at);
  char byte = 0;
  error_code closed;
  (void)client.read_some(asio::buffer(&byte, 1), closed);
  return ended;
}

}  // namespace

TEST_CASE("a loop whose executor is busy when accepting ends is aborted as soon as it is free") {
  plain_server s;
  std::optional<error_code> how;
  s.acceptor.async_accept([&](error_code ec, const tcp::socket&) { how = ec; });
  asio::post(s.io, [&] {
    s.up->drain();
    // Waits until another thread has lost patience with the executor, and has parked the acceptor.
    const auto until = std::chrono::steady_clock::now() + patience;
    while (s.acceptor.local_endpoint() == s.at && std::chrono::steady_clock::now() < until) {
    }
  });
  s.io.run_for(patience);
  CHECK(s.io.stopped());
  REQUIRE(how);
  CHECK(*how == asio::error::operation_aborted);
  CHECK_FALSE(s.has_said("still keeps"));
}

TEST_CASE("a client of another listener keeps the process alive, even if it is not tracked") {
  plain_server s{50ms};
  auto main = s.up->listen<tcp>("main", {asio::ip::address_v4::loopback(), 0});
  s.acceptor.async_accept([](error_code, const tcp::socket&) {});
  asio::io_context elsewhere;
  tcp::socket client{elsewhere};
  client.connect(main.local_endpoint());
  std::optional<tcp::socket> session;
  char byte = 0;
  main.async_accept([&](error_code ec, tcp::socket peer) {
    REQUIRE_FALSE(ec);
    session.emplace(std::move(peer));
    session->async_read_some(asio::buffer(&byte, 1),
                             [&](error_code, std::size_t) { session.reset(); });
    s.up->drain();
  });
  s.io.run_for(1s);
  CHECK_FALSE(s.io.stopped());
  client.close();
  s.io.run_for(patience);
  CHECK(s.io.stopped());
}

TEST_CASE("withdrawing a listener ends the operations that wait on it, and frees its port") {
  plain_server s;
  std::optional<error_code> how;
  s.acceptor.async_accept([&](error_code ec, const tcp::socket&) {
    how = ec;
    s.up->drain();
  });
  CHECK(s.up->withdraw("web"));
  s.io.run_for(patience);
  CHECK(s.io.stopped());
  CHECK(how == error_code{asio::error::operation_aborted});
  CHECK(s.becomes_refused());
}

TEST_CASE("withdrawing a listener ends a thread that blocks in accept(), and frees its port") {
  plain_server s;
  auto ended = block_in_accept(s);
  CHECK(s.up->withdraw("web"));
  REQUIRE(ended.wait_for(patience) == std::future_status::ready);
  CHECK(ended.get());
  CHECK(s.becomes_refused());
}

TEST_CASE("closing an acceptor frees its port, even if no thread runs its context") {
  plain_server s;
  s.acceptor.close();
  CHECK(s.becomes_refused());
}

TEST_CASE("destroying the upgrader ends a thread that blocks in accept()") {
  plain_server s;
  auto ended = block_in_accept(s);
  s.up.reset();
  REQUIRE(ended.wait_for(patience) == std::future_status::ready);
  CHECK(ended.get());
}

TEST_CASE("a thread that calls accept() after the upgrader's end does not wait for ever") {
  plain_server s;
  s.up.reset();
  auto ended = std::async(std::launch::async, [&s] {
    error_code ec;
    (void)s.acceptor.accept(ec);
    return ec;
  });
  REQUIRE(ended.wait_for(patience) == std::future_status::ready);
  CHECK(ended.get());
}

TEST_CASE("a loop that accepts again after any error does not spin after the upgrader's end") {
  plain_server s;
  int errors = 0;
  std::function<void(error_code, tcp::socket)> again = [&](error_code ec, const tcp::socket&) {
    if (ec) ++errors;
    s.acceptor.async_accept(again);
  };
  s.acceptor.async_accept(again);
  s.up.reset();  // before a thread runs the executor
  s.io.run_for(500ms);
  CHECK(errors > 0);
  CHECK(errors < 5);
}

TEST_CASE("destroying the upgrader frees the port, even if no thread runs the acceptor's context") {
  plain_server s;
  s.acceptor.async_accept([](error_code, const tcp::socket&) {});
  s.up.reset();
  asio::io_context elsewhere;
  tcp::acceptor next{elsewhere};
  next.open(tcp::v4());
  next.set_option(tcp::acceptor::reuse_address{true});
  next.bind(s.at);
  CHECK_NOTHROW(next.listen());
}

TEST_CASE("an acceptor whose loop was ended is refused, as nothing on it would ever complete") {
  plain_server s;
  s.acceptor.async_accept([](error_code, const tcp::socket&) {});
  s.up->drain();
  s.io.run_for(patience);
  REQUIRE(s.io.stopped());
  s.up.reset();
  graceful::upgrader next{s.io, {.control_path = s.place.path("s.sock")}};
  CHECK_THROWS_WITH_AS(next.listen(s.acceptor, "web", s.at), doctest::Contains("make another one"),
                       graceful::error);
}

TEST_CASE("a thread pool whose acceptor accepts again after any error still ends") {
  temporary_directory place;
  asio::thread_pool pool{2};
  tcp::acceptor acceptor{pool};
  {
    graceful::upgrader up{pool.get_executor(),
                          {.control_path = place.path("s.sock"), .linger = 50ms}};
    up.listen(acceptor, "web", {asio::ip::address_v4::loopback(), 0});
    up.ready();
    std::function<void()> accept = [&] {
      acceptor.async_accept([&](error_code, const tcp::socket&) { accept(); });
    };
    asio::post(pool, [&] { accept(); });
    up.drain();
    CHECK(std::async(std::launch::async, [&] { pool.join(); }).wait_for(patience) ==
          std::future_status::ready);
  }
}
