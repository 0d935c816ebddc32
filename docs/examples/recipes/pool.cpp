// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A pool: several threads run one io_context, and a strand holds each connection together.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> serve(tcp::socket socket, graceful::upgrader& up) {
  const auto token = up.track(socket.get_executor());  // graceful-ctl status counts it
  const auto greeting = "generation " + std::to_string(up.generation()) + ": ";
  for (std::string line;;) {
    auto [ec, size] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(line, 4096), '\n', as_result);
    if (ec) co_return;
    const auto reply = greeting + line.substr(0, size);
    line.erase(0, size);
    std::tie(ec, size) = co_await asio::async_write(socket, asio::buffer(reply), as_result);
    if (ec) co_return;
  }
}

asio::awaitable<void> accept(graceful::acceptor<tcp> acceptor, graceful::upgrader& up) {
  for (;;) {
    const asio::any_io_executor strand = asio::make_strand(acceptor.get_executor());
    auto [ec, socket] = co_await acceptor.async_accept(strand, as_result);
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) asio::co_spawn(strand, serve(std::move(socket), up), asio::detached);
    if (ec) co_await asio::steady_timer{acceptor.get_executor(), 100ms}.async_wait(asio::deferred);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: pool CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = argv[1]}};
  const auto acceptor = up.listen<tcp>("lines", endpoint);
  asio::co_spawn(io, accept(acceptor, up), asio::detached);
  up.ready();
  std::cout << "listening on " << acceptor.local_endpoint() << std::endl;

  std::vector<std::jthread> threads;  // joined before what they use is destroyed
  for (int i = 0; i < 3; ++i) threads.emplace_back([&io] { io.run(); });
  io.run();  // no io.stop() anywhere: each run() returns when all is served
}
