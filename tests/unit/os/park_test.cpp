// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/park.hpp"

#include <graceful/unique_fd.hpp>

#include "os/listening_socket.hpp"

#include "tcp_sockets.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdint>

#include <netinet/in.h>
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

TEST_CASE("no client can connect to a parked acceptor, and unparking restores it") {
  park_fixture b;
  const int fd = b.accepting.get();
  const auto before = os::cookie_of(fd);
  const auto entry = os::find_in_epoll(fd);
  REQUIRE(entry.has_value());
  CHECK(entry->instance == b.epoll.get());
  REQUIRE(entry->known.has_value());
  CHECK(entry->known->data == 7);
  const auto place = os::unreachable_listener();
  REQUIRE(place.has_value());
  REQUIRE(os::park(fd, entry, *place).has_value());
  CHECK(os::cookie_of(fd) == os::cookie_of(place->get()));
  CHECK(os::cookie_of(fd) != before);
  CHECK_FALSE(is_reachable(os::socket_address::bound_to(fd)));
  CHECK(::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK) == -1);
  CHECK(errno == EAGAIN);
  CHECK(is_reachable(address_of(b.real)));
  epoll_event event{};
  CHECK(::epoll_wait(b.epoll.get(), &event, 1, 0) == 0);

  REQUIRE(os::unpark(fd, entry, b.real.get()).has_value());
  CHECK(os::cookie_of(fd) == before);
  REQUIRE(::epoll_wait(b.epoll.get(), &event, 1, 0) == 1);
  CHECK(std::uint64_t{event.data.u64} == 7);
}

TEST_CASE("a client whose packets have the highest TTL does not reach a parked acceptor either") {
  const auto place = os::unreachable_listener();
  REQUIRE(place.has_value());
  unique_fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  constexpr int highest_ttl = 255;
  REQUIRE(::setsockopt(client.get(), IPPROTO_IP, IP_TTL, &highest_ttl, sizeof highest_ttl) == 0);
  const auto at = address_of(*place);
  CHECK(::connect(client.get(), at.data(), at.size()) == -1);
  CHECK(errno == ECONNREFUSED);
}

TEST_CASE("a descriptor that is in no epoll is not found, and no epoll is changed") {
  park_fixture b;
  CHECK_FALSE(os::find_in_epoll(b.real.get()).has_value());
  CHECK(::epoll_ctl(b.epoll.get(), EPOLL_CTL_DEL, b.real.get(), nullptr) == -1);
}

TEST_CASE("an ordinary user can park an acceptor too") {
  if (::geteuid() != 0) return;  // the case above has then run as an ordinary user
  park_fixture b;
  const auto entry = os::find_in_epoll(b.accepting.get());
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool user = ::setuid(65'534) == 0;
    const auto place = os::unreachable_listener();
    ::_exit(user && place && os::park(b.accepting.get(), entry, *place) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
