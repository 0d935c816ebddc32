// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>

using namespace graceful_test;
using graceful::error_code;

namespace {

/// Counts what was allocated through it and not returned.
template <class T>
struct counting_allocator {
  using value_type = T;
  explicit counting_allocator(std::size_t* total, std::size_t* live) : total{total}, live{live} {}
  template <class U>
  counting_allocator(const counting_allocator<U>& other) : total{other.total}, live{other.live} {}
  T* allocate(std::size_t n) {
    ++*total;
    ++*live;
    return std::allocator<T>{}.allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    --*live;
    std::allocator<T>{}.deallocate(p, n);
  }
  friend bool operator==(const counting_allocator& a, const counting_allocator& b) {
    return a.total == b.total;
  }
  std::size_t* total;
  std::size_t* live;
};

}  // namespace

TEST_CASE("the handler runs on its associated executor, not on the acceptor's") {
  asio::io_context handlers;
  open_web web;
  bool called = false;
  web.acceptor.async_accept(asio::bind_executor(handlers, [&](error_code ec, auto) {
    CHECK_FALSE(ec);
    called = true;
  }));
  const auto client = web.connect();
  // The handler's context has work as long as the operation lasts.
  std::jthread acceptor_thread{[&] { web.context.run(); }};
  handlers.run();
  CHECK(called);
  web.context.stop();
}

TEST_CASE("the handler runs on a strand that it is bound to, even when it is aborted") {
  open_web web;
  const auto strand = asio::make_strand(web.context);
  int called = 0;
  for (int i = 0; i < 2; ++i) {
    web.acceptor.async_accept(asio::bind_executor(strand, [&](error_code, auto) {
      CHECK(strand.running_in_this_thread());
      ++called;
    }));
  }
  const auto client = web.connect();
  CHECK(web.run_until([&] { return called == 1; }));
  web.home->stop();
  CHECK(web.run_until([&] { return called == 2; }));
}

TEST_CASE("the handler's allocator is used, and gets all its memory back") {
  std::size_t total = 0;
  std::size_t live = 0;
  {
    open_web web;
    bool called = false;
    web.acceptor.async_accept(asio::bind_allocator(counting_allocator<void*>{&total, &live},
                                                   [&](error_code, auto) { called = true; }));
    const auto client = web.connect();
    CHECK(web.run_until([&] { return called; }));
  }
  CHECK(total > 0);
  CHECK(live == 0);
}

TEST_CASE("a handler may be move-only, and is destroyed after its call") {
  open_web web;
  auto owned = std::make_unique<int>(1);
  std::weak_ptr<int> watch;
  bool called = false;
  {
    auto shared = std::make_shared<int>(2);
    watch = shared;
    web.acceptor.async_accept([owned = std::move(owned), shared = std::move(shared), &called](
                                  error_code, auto) { called = *owned == 1; });
  }
  const auto client = web.connect();
  CHECK(web.run_until([&] { return called; }));
  web.context.restart();
  web.context.poll();
  CHECK(watch.expired());
}

TEST_CASE("an accept can use a socket that the caller made") {
  open_web web;
  tcp::socket socket{web.context};
  std::optional<error_code> result;
  web.acceptor.async_accept(socket, [&](error_code ec) { result = ec; });
  const auto client = web.connect();
  REQUIRE(web.run_until([&] { return result.has_value(); }));
  CHECK_FALSE(*result);
  CHECK(socket.is_open());
  CHECK(is_nonblocking(socket.native_handle()));
}

TEST_CASE("an accept for another executor or context makes sockets of that") {
  asio::io_context other;
  open_web web;
  bool plain = false;
  bool stranded = false;
  web.acceptor.async_accept(other, [&](error_code ec, auto socket) {
    static_assert(
        std::is_same_v<typename decltype(socket)::executor_type, asio::io_context::executor_type>);
    CHECK_FALSE(ec);
    CHECK(socket.get_executor() == other.get_executor());
    plain = true;
  });
  const auto strand = asio::make_strand(other);
  web.acceptor.async_accept(strand, [&](error_code ec, auto socket) {
    CHECK_FALSE(ec);
    CHECK(socket.get_executor() == strand);
    stranded = true;
  });
  const auto first = web.connect();
  const auto second = web.connect();
  CHECK(web.run_until([&] { return plain && stranded; }));
}

TEST_CASE("use_future returns the socket, or throws") {
  open_web web;
  auto accepted = web.acceptor.async_accept(asio::use_future);
  const auto client = web.connect();
  CHECK(web.run_until(
      [&] { return accepted.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }));
  CHECK(accepted.get().is_open());
  auto aborted = web.acceptor.async_accept(asio::use_future);
  web.home->stop();
  run_for(web.context, std::chrono::seconds{5});
  REQUIRE(aborted.wait_for(std::chrono::seconds{0}) == std::future_status::ready);
  CHECK_THROWS_AS(aborted.get(), boost::system::system_error);
}

TEST_CASE("a deferred accept starts when it is launched, and not before") {
  open_web web;
  auto later = web.acceptor.async_accept(asio::deferred);
  const auto client = web.connect();
  REQUIRE(web.wait_for_queue(1));
  web.context.poll();
  CHECK(web.queue() == 1);
  bool called = false;
  std::move(later)([&](error_code ec, auto) { called = !ec; });
  CHECK(web.run_until([&] { return called; }));
}

TEST_CASE("a coroutine accepts until it is told to end") {
  open_web web;
  int accepted = 0;
  std::optional<error_code> end;
  asio::co_spawn(
      web.context,
      [&]() -> asio::awaitable<void> {
        for (;;) {
          auto [ec, socket] =
              co_await web.acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
          if (ec) {
            end = ec;
            co_return;
          }
          ++accepted;
        }
      },
      asio::detached);
  const auto first = web.connect();
  const auto second = web.connect();
  CHECK(web.run_until([&] { return accepted == 2; }));
  CHECK_FALSE(end);
  web.home->stop();
  CHECK(web.run_until([&] { return end.has_value(); }));
  CHECK(*end == asio::error::operation_aborted);
}

TEST_CASE("a handler that throws does not lose the ones after it") {
  open_web web;
  int accepted = 0;
  for (int i = 0; i < 3; ++i) {
    web.acceptor.async_accept([&](error_code ec, auto) {
      accepted += ec ? 0 : 1;
      throw std::runtime_error{"of the application"};
    });
  }
  std::vector<graceful::unique_fd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(web.connect());
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(web.context.run(), std::runtime_error);
  }
  CHECK(accepted == 3);
}

TEST_CASE("an accept works on a pool of threads") {
  asio::thread_pool pool{2};
  listening web{pool.get_executor()};
  web.home->open();
  auto accepted = web.acceptor.async_accept(asio::use_future);
  const auto client = web.connect();
  CHECK(accepted.get().is_open());
  web.home->stop();
  pool.join();
}
