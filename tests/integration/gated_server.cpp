// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// gated_server CONTROL PORT GATE [PROBATION_MS]: an HTTP server that initialises for as long as the
// test wants it to: it is ready when it can read a line from GATE, unless that is "give up": then
// it returns 4. On SIGUSR1 it tries to add a listener; on SIGHUP it drains, on a second one at
// once; on SIGALRM it exits with 0. Its timeouts are the longest there are.
#include <graceful.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <list>
#include <string>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Not to standard error, which nobody reads in one of the tests.
void say(const std::string& what) {
  std::printf("gate: %s\n", what.c_str());
  std::fflush(stdout);
}

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

asio::awaitable<void> add_listeners(graceful::upgrader& up, asio::signal_set& asked) {
  std::list<graceful::acceptor<tcp>> added;
  for (;;) {
    auto [ec, signal] = co_await asked.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return;
    const auto name = "late" + std::to_string(added.size() + 1);
    try {
      added.push_back(up.listen<tcp>(name, {asio::ip::address_v4::loopback(), 0}));
      say("added " + name);
    } catch (const graceful::error& e) {
      say(e.what());
    }
  }
}

asio::awaitable<void> drain_when_asked(graceful::upgrader& up, asio::signal_set& asked) {
  for (bool now = false;; now = true) {
    auto [ec, signal] = co_await asked.async_wait(asio::as_tuple(asio::use_awaitable));
    if (ec) co_return;
    if (now) co_return up.drain_now();
    up.drain();
  }
}

int run(const std::string& control, unsigned short port, const char* gate, int probation) {
  asio::io_context io;
  graceful::upgrader up{io,
                        {.name = "gated",
                         .control_path = control,
                         .ready_timeout = std::chrono::milliseconds::max(),
                         .probation = std::chrono::milliseconds{probation},
                         .handoff_timeout = std::chrono::milliseconds::max()}};
  const auto response =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nX-Served-By: gen-" +
      std::to_string(up.generation()) + "-pid-" + std::to_string(::getpid()) + "\r\n\r\n";
  auto acceptor = up.listen<tcp>("http", {asio::ip::address_v4::loopback(), port});
  asio::co_spawn(io, serve(acceptor, response), asio::detached);
  up.handle_signals();
  // Before any output: a signal without a handler would end the process.
  asio::signal_set add{io, SIGUSR1};
  asio::signal_set drain{io, SIGHUP};
  std::signal(SIGALRM, [](int) { ::_exit(0); });
  say("initialising");
  std::string line;
  while (!std::getline(std::ifstream{gate}, line)) {
    // A signal has interrupted open(2).
  }
  if (line == "give up") return 4;
  up.ready();
  say("ready as generation " + std::to_string(up.generation()));
  asio::co_spawn(io, add_listeners(up, add), asio::detached);
  asio::co_spawn(io, drain_when_asked(up, drain), asio::detached);
  up.async_wait_drain([&](graceful::error_code ec) {
    add.cancel();
    if (!ec) say("drains");
  });
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  try {
    return run(argv[1], static_cast<unsigned short>(std::stoi(argv[2])), argv[3],
               argc == 5 ? std::stoi(argv[4]) : 0);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gate: %s\n", e.what());
    return 1;
  }
}
