// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What compiles with an acceptor of Asio's compiles with one of this library: the same template is
// instantiated with both.
#include <graceful.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::error_code;
using namespace std::chrono_literals;

template <class Acceptor>
asio::awaitable<void> awaits(Acceptor a, asio::io_context& io) {
  using namespace asio::experimental::awaitable_operators;
  const auto here = co_await asio::this_coro::executor;
  tcp::endpoint from;
  auto socket = co_await a.async_accept(asio::use_awaitable);
  (void)co_await a.async_accept(here, asio::use_awaitable);
  (void)co_await a.async_accept(io, asio::use_awaitable);
  (void)co_await a.async_accept(asio::make_strand(io), asio::use_awaitable);
  (void)co_await a.async_accept(from, asio::use_awaitable);
  (void)co_await a.async_accept(here, from, asio::use_awaitable);
  (void)co_await a.async_accept(io, from, asio::use_awaitable);
  co_await a.async_accept(socket, asio::use_awaitable);
  co_await a.async_accept(socket.lowest_layer(), asio::use_awaitable);
  co_await a.async_accept(socket, from, asio::use_awaitable);
  co_await a.async_wait(a.wait_read, asio::use_awaitable);

  auto by_default = asio::use_awaitable_t<>::as_default_on(std::move(a));
  (void)co_await by_default.async_accept();
  (void)co_await by_default.async_accept(here);
  (void)co_await by_default.async_accept(io);
  (void)co_await by_default.async_accept(from);
  (void)co_await by_default.async_accept(here, from);
  co_await by_default.async_accept(socket);
  co_await by_default.async_accept(socket, from);
  co_await by_default.async_wait(by_default.wait_read);
  (void)co_await (by_default.async_accept() ||
                  asio::steady_timer{here, 1s}.async_wait(asio::use_awaitable));

  using tuple_token = asio::as_tuple_t<asio::use_awaitable_t<>>;
  auto in_tuples = tuple_token::as_default_on(std::move(by_default));
  [[maybe_unused]] const auto [ec, peer] = co_await in_tuples.async_accept();
}

template <class Acceptor>
void takes_tokens(Acceptor& a, asio::io_context& io) {
  using socket = typename tcp::socket::rebind_executor<typename Acceptor::executor_type>::other;
  a.async_accept([only = std::make_unique<int>()](error_code, socket) {});
  a.async_accept(asio::bind_executor(asio::make_strand(io), [](error_code, socket) {}));
  a.async_accept(io, [](error_code, tcp::socket) {});
  (void)a.async_accept(asio::use_future);
  a.async_accept(asio::deferred)([](error_code, socket) {});
  a.async_accept(asio::detached);
  asio::experimental::make_parallel_group(a.async_accept(asio::deferred),
                                          a.async_wait(a.wait_read, asio::deferred))
      .async_wait(asio::experimental::wait_for_one{}, [](auto&&...) {});
  asio::co_spawn(io, awaits(std::move(a), io), asio::detached);
}

template <class Acceptor>
void blocks(Acceptor& a, asio::io_context& io) {
  error_code ec;
  tcp::endpoint from;
  auto socket = a.accept();
  socket = a.accept(ec);
  socket = a.accept(from);
  socket = a.accept(from, ec);
  tcp::socket other = a.accept(io);
  other = a.accept(io, ec);
  other = a.accept(io, from);
  a.accept(other);
  a.accept(other, ec);
  a.accept(other, from);
  a.accept(other, from, ec);
  a.wait(a.wait_read);
  a.wait(a.wait_read, ec);
}

template <class Acceptor>
void has_settings(Acceptor& a) {
  error_code ec;
  typename Acceptor::reuse_address reuse{true};
  a.set_option(reuse);
  a.set_option(reuse, ec);
  a.get_option(reuse);
  a.get_option(reuse, ec);
  a.non_blocking(true);
  a.non_blocking(true, ec);
  (void)a.non_blocking();
  (void)a.is_open();
  (void)a.native_handle();
  typename Acceptor::endpoint_type at = a.local_endpoint();
  at = a.local_endpoint(ec);
  a.cancel();
  a.cancel(ec);
  a.close();
  a.close(ec);
}

template <class Acceptor>
void compiles(asio::io_context& io) {
  static_assert(std::is_base_of_v<asio::socket_base, Acceptor>);
  static_assert(std::is_same_v<typename Acceptor::protocol_type, tcp>);
  static_assert(std::is_same_v<typename Acceptor::native_handle_type, int>);
  static_assert(std::is_nothrow_move_constructible_v<Acceptor>);
  static_assert(!std::is_convertible_v<asio::io_context&, Acceptor>);
  static_assert(std::is_constructible_v<Acceptor, asio::io_context&>);
  Acceptor a{io};
  Acceptor b{a.get_executor()};
  typename Acceptor::template rebind_executor<asio::any_io_executor>::other any{std::move(b)};
  any = Acceptor{io};
  takes_tokens(a, io);
  blocks(a, io);
  has_settings(a);
}

[[maybe_unused]] void all_compile(asio::io_context& io) {
  using context_executor = asio::io_context::executor_type;
  compiles<tcp::acceptor>(io);
  compiles<graceful::acceptor<tcp>>(io);
  compiles<asio::basic_socket_acceptor<tcp, context_executor>>(io);
  compiles<graceful::basic_acceptor<tcp, context_executor>>(io);
}

/// An overload must not take a completion token for an executor.
static_assert(!graceful::detail::executor_or_context<decltype(asio::use_awaitable)>);
static_assert(graceful::detail::executor_or_context<graceful::io_context_pool&>);
static_assert(graceful::detail::executor_or_context<asio::thread_pool&>);

}  // namespace

TEST_CASE("a pool stands for its first context wherever Asio takes an execution context") {
  graceful::io_context_pool pool{2};
  int ran = 0;
  asio::post(pool, [&] { ++ran; });
  asio::co_spawn(
      pool,
      [&]() -> asio::awaitable<void> {
        ++ran;
        co_return;
      },
      asio::detached);
  asio::steady_timer timer{pool, 1ms};
  timer.async_wait([&](error_code) { ++ran; });
  tcp::acceptor acceptor{pool, {asio::ip::address_v4::loopback(), 0}};
  tcp::socket client{pool};
  acceptor.async_accept([&](error_code ec, tcp::socket) { ran += ec ? 0 : 1; });
  client.async_connect(acceptor.local_endpoint(), [&](error_code ec) { ran += ec ? 0 : 1; });
  const asio::signal_set signals{pool};
  const auto strand = asio::make_strand(pool);
  asio::post(strand, [&] { ++ran; });
  pool.reset_work();
  pool.run();
  CHECK(ran == 6);
}
