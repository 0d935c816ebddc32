// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// HTTP with keep-alive on Boost.Beast: a coroutine a connection.
#include <graceful.hpp>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

asio::awaitable<void> serve(tcp::socket socket, graceful::upgrader& up) {
  const auto served_by = "gen-" + std::to_string(up.generation());
  beast::tcp_stream stream{std::move(socket)};
  beast::flat_buffer buffer;
  auto token = up.track(stream.get_executor(), [&stream](graceful::drain_stage stage) {
    if (stage != graceful::drain_stage::draining) stream.close();  // idle for long, or too late
  });
  for (bool keep = true; keep;) {
    http::request<http::string_body> request;
    stream.expires_after(60s);
    token.idle(true);
    auto [ec, size] = co_await http::async_read(stream, buffer, request, as_result);
    token.idle(false);
    if (ec) co_return;

    http::response<http::string_body> response{http::status::ok, request.version()};
    response.set("X-Served-By", served_by);
    response.body() = "hello\n";
    response.keep_alive(request.keep_alive() && !token.draining());
    response.prepare_payload();
    std::tie(ec, size) = co_await http::async_write(stream, response, as_result);
    keep = !ec && response.keep_alive();
  }
  beast::error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> accept(graceful::acceptor<tcp> acceptor, graceful::upgrader& up) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(as_result);
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), up), asio::detached);
    if (ec) co_await asio::steady_timer{acceptor.get_executor(), 100ms}.async_wait(asio::deferred);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: beast CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = argv[1]}};
  const auto acceptor = up.listen<tcp>("http", endpoint);
  asio::co_spawn(io, accept(acceptor, up), asio::detached);
  up.ready();
  std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
  io.run();
}
