// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// deploy_server CONTROL: greets whoever connects, on any free port.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <string_view>

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<void> greet(tcp::socket socket) {
  constexpr std::string_view text = "hello\n";
  co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
}

asio::awaitable<void> serve(graceful::acceptor<tcp> acceptor) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) asio::co_spawn(acceptor.get_executor(), greet(std::move(socket)), asio::detached);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  asio::io_context io;
  graceful::upgrader up{io, {.name = "deployed", .control_path = argv[1]}};
  auto acceptor = up.listen<tcp>("greeting", {asio::ip::address_v4::loopback(), 0});
  up.handle_signals();
  asio::co_spawn(io, serve(acceptor), asio::detached);
  up.ready();
  io.run();
}
