// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A server that pushes: a line every 50 ms to each client. SIGHUP and a timer, which it has for
// itself, would keep its process running.
#include <graceful.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::drain_stage;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

asio::awaitable<bool> say(tcp::socket& to, const std::string& line) {
  const auto [ec, size] = co_await asio::async_write(to, asio::buffer(line), as_result);
  co_return !ec;
}

asio::awaitable<void> push(tcp::socket socket, graceful::upgrader& up, std::uint64_t& pushed) {
  auto token = up.track(socket.get_executor());
  asio::steady_timer pause{socket.get_executor(), 0ms};  // the client's own: it ends with that
  const auto greeting = "generation " + std::to_string(up.generation()) + ": ";
  for (int number = 0;; ++number) {
    const auto woken = co_await (pause.async_wait(as_result) ||
                                 token.async_wait(drain_stage::draining, as_result));
    if (woken.index() == 1) break;
    if (!co_await say(socket, greeting + std::to_string(number) + '\n')) co_return;
    ++pushed;
    pause.expires_after(50ms);
  }
  co_await say(socket, "good-bye, connect again\n");
}

asio::awaitable<void> accept(graceful::acceptor<tcp> acceptor, graceful::upgrader& up,
                             std::uint64_t& pushed) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(as_result);
    if (ec == asio::error::operation_aborted) co_return;
    const auto executor = acceptor.get_executor();
    if (!ec) asio::co_spawn(executor, push(std::move(socket), up, pushed), asio::detached);
    if (ec) co_await asio::steady_timer{executor, 100ms}.async_wait(asio::deferred);
  }
}

asio::awaitable<void> reload(asio::signal_set& hangups, const graceful::upgrader& up) {
  while (!up.draining()) {
    const auto [ec, signal] = co_await hangups.async_wait(as_result);
    if (ec) co_return;
    std::cout << "reloaded" << std::endl;
  }
}

asio::awaitable<void> tell(asio::steady_timer& hour, const graceful::upgrader& up,
                           const std::uint64_t& pushed) {
  while (!up.draining()) {
    hour.expires_after(1h);
    const auto [ec] = co_await hour.async_wait(as_result);
    if (ec) co_return;
    std::cout << pushed << " lines pushed" << std::endl;
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: push CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  std::uint64_t pushed = 0;
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = argv[1]}};
  asio::signal_set hangups{io, SIGHUP};
  asio::steady_timer hour{io};
  asio::co_spawn(io, reload(hangups, up), asio::detached);
  asio::co_spawn(io, tell(hour, up, pushed), asio::detached);
  up.async_wait_drain([&](boost::system::error_code ec) {
    if (ec) return;
    hangups.cancel();
    hour.cancel();
  });

  const auto acceptor = up.listen<tcp>("news", endpoint);
  asio::co_spawn(io, accept(acceptor, up, pushed), asio::detached);
  up.ready();
  std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
  io.run();
}
