// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/close_aside.hpp"

#include <graceful/testing/deadline.hpp>

#include "os/channel.hpp"

#include "lingering_socket.hpp"
#include "patience.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::unique_fd;
namespace os = graceful::os;

namespace {

struct pipe_ends {
  pipe_ends() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  [[nodiscard]] bool is_closed() const {
    pollfd p{.fd = out.get(), .events = POLLIN, .revents = 0};
    return ::poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
  }
  unique_fd out;
  unique_fd in;
};

std::vector<unique_fd> one(unique_fd fd) {
  std::vector<unique_fd> fds;
  fds.push_back(std::move(fd));
  return fds;
}

}  // namespace

TEST_CASE("slow descriptors are closed by another thread, and pipes before the call returns") {
  lingering_socket direct;
  lingering_socket nested;
  pipe_ends pipe;
  const auto taken = duration_of([&] {
    os::close_aside(one(direct.release()));
    os::close_aside(one(nested.release_nested()));
    os::close_aside(one(std::move(pipe.in)));
    CHECK(pipe.is_closed());
  });
  CHECK(taken < lingering_socket::no_wait);
}

TEST_CASE("descriptors that close at once are closed, even beside slow ones") {
  lingering_socket late;
  os::close_aside(one(late.release()));
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const unique_fd other{ends[0]};
  os::close_aside(one(unique_fd{ends[1]}));
  CHECK(os::wait_readable(other.get(), os::after(patience)));  // its end
}

TEST_CASE(
    "however many descriptors close slowly, nobody waits, and they are closed with their peers") {
  pipe_ends last;
  {
    std::list<lingering_socket> many(40);
    const auto taken = duration_of([&] {
      for (auto& each : many) os::close_aside(one(each.release()));
    });
    CHECK(taken < lingering_socket::no_wait);
  }
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const unique_fd other{ends[0]};
  os::close_aside(one(unique_fd{ends[1]}));
  CHECK(os::wait_readable(other.get(), os::after(patience)));
}

TEST_CASE("a socket that refuses descriptors gets none, and neither do connections to it") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const unique_fd ours{ends[0]};
  const unique_fd theirs{ends[1]};
  os::refuse_descriptors(ours.get());
  constexpr int pass_rights = 83;
  int passes = 1;
  socklen_t size = sizeof passes;
  if (::getsockopt(ours.get(), SOL_SOCKET, pass_rights, &passes, &size) != 0) {
    MESSAGE("skipped: this kernel has no SO_PASSRIGHTS");
    return;
  }
  CHECK(passes == 0);
  const auto file = [] { return unique_fd{::eventfd(0, EFD_CLOEXEC)}; };
  CHECK_FALSE(lingering_socket::send(theirs.get(), "x", file()));
  CHECK(errno == EPERM);
  CHECK(lingering_socket::send(ours.get(), "x", file()));

  const temporary_directory directory;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  directory.path("s").copy(address.sun_path, sizeof address.sun_path - 1);
  const unique_fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  os::refuse_descriptors(listener.get());
  const auto client = os::connect_unix(directory.path("s"), os::after(patience));
  REQUIRE(client.has_value());
  CHECK_FALSE(lingering_socket::send(client->get(), "x", file()));  // nobody has accepted it yet
}
