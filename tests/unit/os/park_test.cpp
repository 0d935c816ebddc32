// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/park.hpp"

#include <graceful/unique_fd.hpp>

#include "os/listening_socket.hpp"

#include "tcp_sockets.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdint>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful;
using namespace graceful_test;

namespace {

struct park_fixture {
  unique_fd real = os::listen_tcp(v4("127.0.0.1"), {}).value();
  unique_fd accepting{::dup(real.get())};
  unique_fd epoll{::epoll_create1(EPOLL_CLOEXEC)};

  park_fixture() {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = 7;
    REQUIRE(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, accepting.get(), &event) == 0);
  }
};

}  // namespace

TEST_CASE("nobody can connect to where an acceptor is parked, and the way back restores it") {
  park_fixture b;
  const auto before = os::cookie_of(b.accepting.get());
  auto place = os::park(b.accepting.get(), true);
  REQUIRE(place.has_value());
  CHECK(os::cookie_of(b.accepting.get()) == place->cookie);
  CHECK(place->cookie != before);
  CHECK_FALSE(is_reachable(os::socket_address::bound_to(b.accepting.get())));
  CHECK(::accept4(b.accepting.get(), nullptr, nullptr, SOCK_NONBLOCK) == -1);
  CHECK(errno == EAGAIN);
  CHECK(is_reachable(address_of(b.real)));
  epoll_event event{};
  CHECK(::epoll_wait(b.epoll.get(), &event, 1, 0) == 0);

  REQUIRE(os::unpark(b.accepting.get(), *place, b.real.get()).has_value());
  CHECK(os::cookie_of(b.accepting.get()) == before);
  REQUIRE(::epoll_wait(b.epoll.get(), &event, 1, 0) == 1);
  CHECK(std::uint64_t{event.data.u64} == 7);
}

TEST_CASE("an ordinary user can park an acceptor too") {
  if (::geteuid() != 0) return;  // then the case above is that of an ordinary user
  park_fixture b;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(::setuid(65'534) == 0 && os::park(b.accepting.get(), true) ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
