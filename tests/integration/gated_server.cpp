// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// gated_server CONTROL PORT GATE: an HTTP server that initialises for as long as the test wants it
// to: it is ready when it can read a line from GATE.
#include <graceful.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <string>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

asio::awaitable<void> answer(tcp::socket socket, std::string response) {
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n",
                                  asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(response), asio::use_awaitable);
}

asio::awaitable<void> serve(graceful::acceptor<tcp> acceptor, std::string response) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) {
      asio::co_spawn(acceptor.get_executor(), answer(std::move(socket), response), asio::detached);
    }
  }
}

void run(const std::string& control, unsigned short port, const char* gate) {
  asio::io_context io;
  graceful::upgrader up{io, {.name = "gated", .control_path = control}};
  const auto response =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nX-Served-By: gen-" +
      std::to_string(up.generation()) + "-pid-" + std::to_string(::getpid()) + "\r\n\r\n";
  auto acceptor = up.listen<tcp>("http", {asio::ip::address_v4::loopback(), port});
  asio::co_spawn(io, serve(acceptor, response), asio::detached);
  std::fputs("gate: initialising\n", stderr);
  std::string line;
  std::getline(std::ifstream{gate}, line);
  up.ready();
  io.run();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    run(argv[1], static_cast<unsigned short>(std::stoi(argv[2])), argv[3]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gate: %s\n", e.what());
    return 1;
  }
}
