// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/listening_socket.hpp"

#include "os/channel.hpp"
#include "os/control_path.hpp"
#include "os/system_failure.hpp"

#include "patience.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <netinet/tcp.h>
#include <sys/wait.h>
#include <unistd.h>

namespace os = graceful::os;
using namespace graceful_test;
using namespace std::chrono_literals;
using graceful::listen_params;
using graceful::unique_fd;

namespace {

/// The error of check_listening_tcp.
std::string complaint(int fd) {
  const auto checked = os::check_listening_tcp(fd);
  if (checked) return "fine";
  CHECK(checked.error().code == graceful::errc::wrong_socket);
  return checked.error().message;
}

}  // namespace

TEST_CASE("a new listener is close-on-exec, non-blocking, and listens") {
  for (const auto& address : {v4("127.0.0.1"), v6("::1")}) {
    const auto socket = os::listen_tcp(address, {});
    REQUIRE(socket.has_value());
    CHECK(is_cloexec(socket->get()));
    CHECK(is_nonblocking(socket->get()));
    CHECK(option_of(socket->get(), SOL_SOCKET, SO_ACCEPTCONN) == 1);
    CHECK(option_of(socket->get(), SOL_SOCKET, SO_REUSEADDR) == 1);
    CHECK(option_of(socket->get(), SOL_SOCKET, SO_REUSEPORT) == 0);
    CHECK_NOTHROW(connect_to(address_of(*socket)));
  }
}

TEST_CASE("the parameters of a listener are set on it") {
  const auto socket = listen_anywhere({.backlog = 7, .reuse_address = false, .reuse_port = true});
  CHECK(option_of(socket.get(), SOL_SOCKET, SO_REUSEADDR) == 0);
  CHECK(option_of(socket.get(), SOL_SOCKET, SO_REUSEPORT) == 1);
  CHECK(os::accept_queue_of(socket.get()).limit == 7);
}

TEST_CASE("an address in use is tried as often as asked, and named in the error") {
  const auto holder = listen_anywhere();
  const auto address = address_of(holder);
  for (const int attempts : {1, 3}) {
    const auto refused = os::listen_tcp(address, {.bind_attempts = attempts, .bind_backoff = 1ms});
    REQUIRE_FALSE(refused.has_value());
    const auto& why = refused.error();
    CHECK(why.code == os::system_code(EADDRINUSE));
    CHECK(why.message.find(address.to_string()) != why.message.npos);
    CHECK(why.message.find("tried " + std::to_string(attempts) + " time") != why.message.npos);
    CHECK(why.message.find("this process listens there itself") != why.message.npos);
  }
}

TEST_CASE("the pause between attempts doubles") {
  const auto holder = listen_anywhere();
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(
      os::listen_tcp(address_of(holder), {.bind_attempts = 5, .bind_backoff = 2ms}).has_value());
  CHECK(std::chrono::steady_clock::now() - begin >= 30ms);  // 2 + 4 + 8 + 16
}

TEST_CASE("a foreign address is not tried again") {
  const auto begin = std::chrono::steady_clock::now();
  const auto refused = os::listen_tcp(v4("192.0.2.1"), {.bind_attempts = 100, .bind_backoff = 1s});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == os::system_code(EADDRNOTAVAIL));
  CHECK(refused.error().message.find("192.0.2.1:0") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("several sockets listen on one address with reuse_port, and only with it") {
  const auto first = listen_anywhere({.reuse_port = true});
  CHECK(os::listen_tcp(address_of(first), {.reuse_port = true}).has_value());
  CHECK_FALSE(os::listen_tcp(address_of(first), {.bind_attempts = 1}).has_value());
}

TEST_CASE("an IPv6 listener takes IPv4 clients or not, as v6only says") {
  for (const bool only : {false, true}) {
    const auto socket = os::listen_tcp(v6("::"), {.v6only = only});
    REQUIRE(socket.has_value());
    CHECK(option_of(socket->get(), IPPROTO_IPV6, IPV6_V6ONLY) == (only ? 1 : 0));
    const auto port = address_of(*socket).port();
    CHECK_NOTHROW(connect_to(v6("::1", port)));
    if (only) {
      CHECK_THROWS(connect_to(v4("127.0.0.1", port)));
    } else {
      CHECK_NOTHROW(connect_to(v4("127.0.0.1", port)));
    }
  }
}

TEST_CASE("v6only has no effect on an IPv4 listener") {
  CHECK(os::listen_tcp(v4("127.0.0.1"), {.v6only = true}).has_value());
}

TEST_CASE("a listening TCP socket is told apart from everything else") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const unique_fd in{ends[0]};
  const unique_fd out{ends[1]};
  CHECK(complaint(in.get()) == "what was passed is no socket");
  CHECK(complaint(-1) == "what was passed is no socket");
  const unique_fd udp{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  CHECK(complaint(udp.get()) == "what was passed is no TCP socket");
  const unique_fd idle{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  CHECK(complaint(idle.get()) == "what was passed is a socket that does not listen");
  temporary_directory d;
  const auto unix_listener = os::bind_control(d.path("s"));
  REQUIRE(unix_listener.has_value());
  CHECK(complaint(unix_listener->get()) == "what was passed is no TCP socket");
  const auto listener = listen_anywhere();
  const auto client = connect_to(address_of(listener));
  CHECK(complaint(client.get()) == "what was passed is a socket that does not listen");
  CHECK(complaint(listener.get()) == "fine");
}

TEST_CASE("a listening socket waits in accept(2) or not, as it was asked for, and can be changed") {
  const auto socket = listen_anywhere();
  CHECK_FALSE(os::is_blocking(socket.get()));
  for (const bool blocking : {true, true, false, false}) {
    CHECK(os::make_blocking(socket.get(), blocking).has_value());
    CHECK(os::is_blocking(socket.get()) == blocking);
  }
  CHECK(os::is_blocking(listen_anywhere({.blocking = true}).get()));
  CHECK_FALSE(os::make_blocking(-1, true).has_value());
}

TEST_CASE("the accept queue counts the connections that wait") {
  const auto socket = listen_anywhere({.backlog = 16});
  CHECK(os::accept_queue_of(socket.get()).length == 0);
  std::vector<unique_fd> clients;
  for (std::uint64_t n = 1; n <= 5; ++n) {
    clients.push_back(connect_to(address_of(socket)));
    CHECK(eventually([&] { return os::accept_queue_of(socket.get()).length == n; }));
  }
  CHECK(os::accept_queue_of(socket.get()).limit == 16);
  const unique_fd accepted{::accept(socket.get(), nullptr, nullptr)};
  CHECK(os::accept_queue_of(socket.get()).length == 4);
}

TEST_CASE("a descriptor without an accept queue has an empty one") {
  const unique_fd udp{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  CHECK(os::accept_queue_of(udp.get()).length == 0);
  CHECK(os::accept_queue_of(-1).limit == 0);
}

TEST_CASE("a cookie belongs to the socket, whichever descriptor names it") {
  const auto a = listen_anywhere();
  const auto b = listen_anywhere();
  const unique_fd same{::dup(a.get())};
  CHECK(os::cookie_of(a.get()) != 0);
  CHECK(os::cookie_of(a.get()) == os::cookie_of(same.get()));
  CHECK(os::cookie_of(a.get()) != os::cookie_of(b.get()));
}

TEST_CASE("a number that means another socket now has another cookie") {
  auto a = listen_anywhere();
  const int number = a.get();
  const auto cookie = os::cookie_of(number);
  a.reset();
  CHECK(os::cookie_of(number) == 0);
  const auto b = listen_anywhere();
  REQUIRE(b.get() == number);
  CHECK(os::cookie_of(number) != cookie);
}

namespace {

/// Seals as an ordinary user, to whom some kernels allow no socket filter; false if there is none.
bool sealed_by_another(int fd) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(::setuid(65'534) == 0 && os::seal(fd) ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a sealed socket gets no new connections, and handshakes under way end in its queue") {
  for (const bool ordinary : {false, true}) {
    if (ordinary && ::geteuid() != 0) continue;  // the other round covers an ordinary user
    for (const auto& address : {v4("127.0.0.1"), v6("::1")}) {
      const auto socket = os::listen_tcp(address, {}).value();
      const auto at = address_of(socket);
      // This handshake is not over until the client has sent something.
      constexpr int seconds = 30;
      REQUIRE(::setsockopt(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) ==
              0);
      const auto under_way = connect_to(at);
      CHECK(os::accept_queue_of(socket.get()).length == 0);
      if (ordinary) {
        REQUIRE(sealed_by_another(socket.get()));
      } else {
        REQUIRE(os::seal(socket.get()).has_value());
      }
      CHECK_FALSE(is_reachable(at));
      REQUIRE(::send(under_way.get(), "x", 1, MSG_NOSIGNAL) == 1);
      REQUIRE(wait_readable(socket.get(), patience));
      const unique_fd accepted{::accept(socket.get(), nullptr, nullptr)};
      REQUIRE(accepted);
      char byte = 0;
      CHECK(::recv(accepted.get(), &byte, 1, 0) == 1);
      REQUIRE(::send(accepted.get(), "y", 1, MSG_NOSIGNAL) == 1);
      CHECK(wait_readable(under_way.get(), patience));
    }
  }
}
