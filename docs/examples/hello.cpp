// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The smallest server that can be upgraded: the program of the README.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string_view>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

asio::awaitable<void> greet(tcp::socket socket) {
  constexpr std::string_view text = "hello\n";
  co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
}

asio::awaitable<void> serve(graceful::acceptor<tcp> acceptor) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) asio::co_spawn(acceptor.get_executor(), greet(std::move(socket)), asio::detached);
    // No descriptor is left, for instance: the connection waits in the queue.
    if (ec) co_await asio::steady_timer{acceptor.get_executor(), 100ms}.async_wait(asio::deferred);
  }
}

int main() {
  try {
    asio::io_context io;
    graceful::upgrader up{io, {.name = "hello"}};               // cold start, or takes over
    auto acceptor = up.listen<tcp>("http", {tcp::v4(), 8080});  // adopted, or bound
    asio::co_spawn(io, serve(acceptor), asio::detached);
    up.handle_signals();  // SIGTERM drains, SIGUSR2 upgrades
    up.ready();           // the predecessor stops accepting, this process starts
    io.run();             // returns when a successor has taken over and all is served
  } catch (const std::exception& e) {
    std::cerr << "hello: " << e.what() << '\n';
    return 1;
  }
}
