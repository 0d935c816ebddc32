// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>

using namespace graceful_test;
using graceful::error_code;
using graceful::listening_socket;
using graceful::unique_fd;

namespace {

/// A listener without a socket, and sockets for it.
struct adopting {
  adopting() { body->open(); }
  ~adopting() { body->stop(); }

  std::shared_ptr<const listening_socket> give(const char* address = "127.0.0.1") {
    auto fd = graceful::os::listen_tcp(v4(address), {}).value();
    const auto at = address_of(fd);
    auto socket =
        std::make_shared<const listening_socket>(listening_socket{"web", at, std::move(fd), 16});
    CHECK(body->adopt(socket));
    return socket;
  }

  /// Accepts once; `from` gets the port that the client has connected to.
  void accept() {
    acceptor.async_accept([this](error_code ec, tcp::socket socket) {
      result = ec;
      if (!ec) ports.push_back(socket.local_endpoint().port());
    });
  }

  asio::io_context context;
  std::shared_ptr<graceful::detail::listener> body = std::make_shared<graceful::detail::listener>(
      context.get_executor(), "web", std::weak_ptr<graceful::inventory>{});
  graceful::acceptor<tcp> acceptor{body, tcp::v4()};
  error_code result;
  std::vector<unsigned short> ports;
};

}  // namespace

TEST_CASE("an accept waits for a socket to be adopted, and then for a connection") {
  adopting a;
  CHECK_FALSE(a.acceptor.is_open());
  a.accept();
  CHECK(a.context.poll() == 0);
  const auto socket = a.give();
  CHECK(a.acceptor.is_open());
  const auto client = connect_to(socket->address);
  CHECK(run_until(a.context, [&] { return a.ports.size() == 1; }));
}

TEST_CASE("connections in the queue of an adopted socket are accepted") {
  adopting a;
  auto fd = listen_anywhere();
  const auto at = address_of(fd);
  const auto client = connect_to(at);
  a.accept();
  CHECK(a.body->adopt(
      std::make_shared<const listening_socket>(listening_socket{"web", at, std::move(fd), 16})));
  CHECK(run_until(a.context, [&] { return a.ports.size() == 1; }));
}

TEST_CASE("a listener with several sockets accepts from each, and none starves") {
  adopting a;
  const auto one = a.give();
  const auto two = a.give();
  const auto three = a.give();
  std::vector<unique_fd> clients;
  for (const auto& socket : {one, one, one, one, two, two, three}) {
    clients.push_back(connect_to(socket->address));
  }
  REQUIRE(eventually([&] { return graceful::os::accept_queue_of(one->fd.get()).length == 4; }));
  for (std::size_t i = 1; i <= 7; ++i) {
    a.accept();
    REQUIRE(run_until(a.context, [&] { return a.ports.size() == i; }));
  }
  // The first three come from three sockets, in turn, although the first has enough for all.
  CHECK(std::set(a.ports.begin(), a.ports.begin() + 3).size() == 3);
}

TEST_CASE("a listener with several sockets wakes up for each of them") {
  adopting a;
  const auto one = a.give();
  const auto two = a.give();
  std::vector<unique_fd> clients;
  for (const auto& socket : {two, one, two, two, one}) {
    const auto before = a.ports.size();
    a.accept();
    a.context.restart();
    a.context.poll();
    clients.push_back(connect_to(socket->address));
    REQUIRE(run_until(a.context, [&] { return a.ports.size() == before + 1; }));
    CHECK(a.ports.back() == socket->address.port());
  }
}

TEST_CASE("a paused listener accepts from none of its sockets, and then from each again") {
  adopting a;
  const auto one = a.give();
  const auto two = a.give();
  a.accept();
  a.context.poll();
  a.body->pause();
  const auto client = connect_to(two->address);
  run_for(a.context, std::chrono::milliseconds{20});
  CHECK(a.ports.empty());
  a.body->open();
  CHECK(run_until(a.context, [&] { return a.ports.size() == 1; }));
}

TEST_CASE("a listener that lets one of its sockets go still accepts from the others") {
  adopting a;
  auto one = a.give();
  const auto two = a.give();
  const int number = one->fd.get();
  a.accept();
  a.context.poll();  // it waits for both
  const unique_fd kept{::fcntl(number, F_DUPFD_CLOEXEC, 0)};
  const auto at = one->address;
  a.body->let_go(one);
  one.reset();
  CHECK_FALSE(is_open_descriptor(number));
  CHECK(a.acceptor.is_open());
  CHECK(a.body->socket() == two);
  const auto waits = connect_to(at);
  const auto client = connect_to(two->address);
  REQUIRE(run_until(a.context, [&] { return a.ports.size() == 1; }));
  CHECK(a.ports.back() == two->address.port());
  a.accept();
  run_for(a.context, std::chrono::milliseconds{20});
  CHECK(a.ports.size() == 1);
  CHECK(graceful::os::accept_queue_of(kept.get()).length == 1);
  a.body->pause();
  a.body->open();
  const auto another = connect_to(two->address);
  CHECK(run_until(a.context, [&] { return a.ports.size() == 2; }));
}

TEST_CASE("a stopped listener lets go of all its sockets, and takes no more") {
  adopting a;
  auto one = a.give();
  auto two = a.give();
  const std::vector<int> numbers{one->fd.get(), two->fd.get()};
  a.accept();
  a.context.poll();
  a.body->stop();
  auto late = one;
  CHECK_FALSE(a.body->adopt(late));
  one.reset();
  two.reset();
  late.reset();
  for (const int number : numbers) CHECK_FALSE(is_open_descriptor(number));
  CHECK_FALSE(a.acceptor.is_open());
  run_until(a.context, [&] { return bool{a.result}; });
  CHECK(a.result == asio::error::operation_aborted);
}
