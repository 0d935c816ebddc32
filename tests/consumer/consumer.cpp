// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A program outside the tree: sees the installed headers and libraries only.
#include <graceful.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <utility>

namespace {

struct session {
  session(boost::asio::ip::tcp::socket s, int& shared) : socket{std::move(s)} { ++shared; }
  void start() {}
  boost::asio::ip::tcp::socket socket;
};

int serve_and_drain(const char* control_path) {
  graceful::server<session, int> server{
      {.name = "consumer", .control_path = control_path},
      {.threads = 2, .on_ready = [](graceful::upgrader& up, const auto&) { up.drain(); }}};
  return server.listen_and_serve("127.0.0.1", 0);
}

int listen_and_ask(const char* control_path) {
  boost::asio::io_context io;
  graceful::upgrader up{io, {.name = "consumer", .control_path = control_path}};
  auto acceptor = up.listen<boost::asio::ip::tcp>(
      "http", {boost::asio::ip::address_v4::loopback(), 0}, {.backlog = 16});
  up.ready();
  const auto client = graceful::control_client::connect(control_path, std::chrono::seconds{5});
  std::printf("generation %d on port %d, graceful %s\n", static_cast<int>(up.generation()),
              acceptor.local_endpoint().port(), GRACEFUL_VERSION_STRING);
  return client && acceptor.is_open() ? 0 : 1;
}

/// The library and the program wait for the same signal, each with its own Asio.
int both_hear_of_a_signal(const char* control_path) {
  boost::asio::io_context io;
  graceful::upgrader up{io, {.name = "consumer", .control_path = control_path}};
  boost::asio::signal_set signals{io, SIGTERM};
  bool heard = false;
  bool accepted = false;
  signals.async_wait([&](auto ec, int) { heard = !ec; });
  graceful::acceptor<boost::asio::ip::tcp> acceptor{io};
  up.listen(acceptor, "http", {boost::asio::ip::address_v4::loopback(), 0});
  up.handle_signals();
  up.ready();
  boost::asio::ip::tcp::socket client{io};
  client.connect(acceptor.local_endpoint());
  acceptor.async_accept([&](auto ec, auto) {
    accepted = !ec;
    std::raise(SIGTERM);
  });
  io.run();  // until this process has drained
  return accepted && heard && up.draining() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const auto step : {listen_and_ask, both_hear_of_a_signal, serve_and_drain}) {
    if (step(argv[1]) != 0) return 1;
  }
}
