// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// How a server ends, if it starts at all.
#include "server/server_fixture.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <signal.h>
#include <unistd.h>

using namespace graceful_test;
using namespace std::chrono_literals;

namespace {

/// Has a bug that appears later.
struct broken {
  broken(tcp::socket s, shared&) : socket{std::move(s)} {}
  void start() {
    asio::post(socket.get_executor(), [] { throw std::logic_error{"a bug"}; });
  }
  tcp::socket socket;
};

}  // namespace

TEST_CASE("a signal that ends a server while it starts is not a failure") {
  const auto holder = listen_anywhere();
  struct sigaction before {};
  REQUIRE(::sigaction(SIGTERM, nullptr, &before) == 0);
  // It retries for 2.5 s.
  const graceful::server_params busy{.threads = 1, .listen = {.bind_attempts = 8}};
  temporary_directory directory;
  std::promise<void> drains;
  graceful::server<greeter, shared> server{{.control_path = directory.path("c.sock"),
                                            .log =
                                                [&](graceful::log_level, std::string_view text) {
                                                  if (text == "this process drains, and ends")
                                                    drains.set_value();
                                                }},
                                           busy};
  auto ended = std::async(std::launch::async, [&] {
    return server.listen_and_serve("127.0.0.1", address_of(holder).port());
  });
  REQUIRE(eventually([&] {
    struct sigaction now {};
    ::sigaction(SIGTERM, nullptr, &now);
    return now.sa_handler != before.sa_handler;
  }));
  ::kill(::getpid(), SIGTERM);
  CHECK(drains.get_future().wait_for(patience) == std::future_status::ready);
  CHECK(ended.get() == 0);
  ::sigaction(SIGTERM, &before, nullptr);
}

TEST_CASE("an exception of a handler ends the server with an error") {
  server_fixture<broken> b{{.threads = 3}};
  b.start();
  const auto client = b.connect();
  CHECK(b.result() == 1);
  CHECK(b.has_said("the server ends: a bug"));
}

TEST_CASE("an exit before the beginning stays an exit, even if a drain follows") {
  for (const bool drains_too : {false, true}) {
    server_fixture<greeter> b{{.threads = 2}};
    b.server.exit();
    if (drains_too) b.server.drain();
    b.start();
    CHECK(b.result() == 0);
    CHECK(b.has_said("this process ends\n"));
    CHECK_FALSE(b.has_said("this process drains, and ends\n"));
  }
}

TEST_CASE("a drain before the beginning is a drain, not an exit") {
  server_fixture<greeter> b{{.threads = 2}};
  b.server.drain();
  b.start();
  CHECK(b.result() == 0);
  CHECK(b.has_said("this process drains, and ends\n"));
}

TEST_CASE("a server that has ended can serve again") {
  server_fixture<greeter> b{{.threads = 2}};
  b.server.drain();
  b.start();
  CHECK(b.result() == 0);
  b.bound = {};
  b.start();
  CHECK(greeting(b.connect()) == 'q');
}

TEST_CASE("a server that cannot start says why, and returns 1") {
  server_fixture<greeter> none{{.threads = 0}};
  CHECK(none.server.listen_and_serve("127.0.0.1", 0) == 1);
  CHECK(none.has_said("the server ends: a pool of 0 io_contexts can run nothing"));
  server_fixture<greeter> b{{.threads = 1, .listen = {.bind_attempts = 1}}};
  CHECK(b.server.listen_and_serve("::g", 0) == 1);
  CHECK(b.has_said("cannot listen on '::g': it is no IP address"));
  const auto holder = listen_anywhere();
  CHECK(b.server.listen_and_serve("127.0.0.1", address_of(holder).port()) == 1);
  CHECK(b.has_said("Address already in use"));
}
