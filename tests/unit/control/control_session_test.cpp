// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/control_session.hpp"

#include "lingering_socket.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>

#include <sys/socket.h>
#include <unistd.h>

using graceful::control_session;
using graceful::unique_fd;
namespace asio = graceful::asio;
namespace wire = graceful::wire;

namespace {

/// Answers every call with more than a socket takes at once.
struct verbose {
  std::shared_ptr<control_session> on(int socket) {
    return std::make_shared<control_session>(
        io, unique_fd{socket}, ::getpid(), 1,
        control_session::callbacks{.waiting =
                                       [this](control_session& from) {
                                         asio::post(io, [session = from.shared_from_this()] {
                                           session->take_turn();
                                         });
                                       },
                                   .call =
                                       [](control_session& from, const wire::call& /*call*/) {
                                         wire::reply r;
                                         r.parameters["text"] = std::string(900'000, 'x');
                                         from.reply(r);
                                       },
                                   .closed = [this](control_session& /*from*/) { ++closed; }});
  }
  asio::io_context io;
  int closed = 0;
};

struct session_fixture {
  session_fixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    peer.reset(ends[1]);
    session = server.on(ends[0]);
    session->start();
  }

  void say(const std::string& bytes) {
    REQUIRE(::write(peer.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    io.poll();
  }

  void call() { say(std::string{R"({"method":"a.b"})"} + '\0'); }

  /// Returns how much there was.
  std::size_t take() {
    std::string buffer(65'536, '\0');
    const auto n = ::read(peer.get(), buffer.data(), buffer.size());
    io.poll();
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  verbose server;
  asio::io_context& io = server.io;
  unique_fd peer;
  std::shared_ptr<control_session> session;
};

}  // namespace

TEST_CASE("a peer that sends is not idle") {
  session_fixture b;
  const auto before = b.session->idle_since();
  b.say("{");
  CHECK(b.session->idle_since() > before);
}

TEST_CASE("a peer that takes nothing of its reply is idle, however much it sends") {
  session_fixture b;
  b.call();
  REQUIRE(b.session->congested());
  const auto before = b.session->idle_since();
  b.say(" ");
  b.say(" ");
  CHECK(b.session->idle_since() == before);
}

TEST_CASE("a peer that takes its reply bit by bit is not idle") {
  session_fixture b;
  b.call();
  auto before = b.session->idle_since();
  int steps = 0;
  while (b.session->congested()) {
    while (b.session->idle_since() == before && b.session->congested()) REQUIRE(b.take() > 0);
    before = b.session->idle_since();
    ++steps;
  }
  CHECK(steps > 1);
}

TEST_CASE("replies that pile up beyond the limit end the connection") {
  session_fixture b;
  for (int i = 0; i < 3; ++i) b.call();
  b.io.poll();
  CHECK(b.server.closed == 1);
}

TEST_CASE("descriptors that were sent before they were refused, and close slowly, delay nobody") {
  for (const bool nested : {false, true}) {
    graceful_test::lingering_socket late;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    const unique_fd peer{ends[1]};
    REQUIRE(graceful_test::lingering_socket::send(peer.get(),
                                                  std::string{R"({"method":"a.b"})"} + '\0',
                                                  nested ? late.release_nested() : late.release()));
    verbose server;
    auto& io = server.io;
    const auto session = server.on(ends[0]);
    const auto taken = graceful_test::duration_of([&] {
      session->start();
      io.poll();
    });
    CHECK(session->congested());  // it has answered
    CHECK(taken < graceful_test::lingering_socket::no_wait);
    session->close();
    io.poll();
  }
}

TEST_CASE("a session that ends does not wait for a descriptor that it has not read") {
  graceful_test::lingering_socket late;
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const unique_fd peer{ends[1]};
  REQUIRE(graceful_test::lingering_socket::send(peer.get(), "x", late.release()));
  verbose server;
  const auto session = server.on(ends[0]);
  const auto taken = graceful_test::duration_of([&] {
    session->close();
    server.io.poll();
  });
  CHECK(taken < graceful_test::lingering_socket::no_wait);
  CHECK(server.closed == 1);
}

TEST_CASE("the last words of a peer that has ended can be heard before their turn comes") {
  session_fixture b;
  const std::string call = std::string{R"({"method":"a.b"})"} + '\0';
  REQUIRE(::write(b.peer.get(), call.data(), call.size()) == static_cast<ssize_t>(call.size()));
  b.session->hear_out();
  CHECK(b.session->congested());  // it has answered
}
