// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/home_process.hpp"

#include <graceful/testing/deadline.hpp>

#include "patience.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace graceful_test;
using graceful::unique_fd;
using graceful::os::kept_from_children;

namespace {

struct marked_pipe {
  marked_pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
  }

  /// A child that holds everything it has until it is killed.
  void fork_child() {
    child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    REQUIRE(child > 0);
  }

  /// True if no process has the other end open.
  [[nodiscard]] bool is_closed() const {
    return graceful::testing::wait_readable(reading.get(), std::chrono::seconds{0});
  }

  ~marked_pipe() {
    if (child <= 0) return;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  unique_fd reading;
  unique_fd writing;
  pid_t child = -1;
};

/// The exit code of a child that runs `body`.
template <class Body>
int code_of_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a child of fork does not hold descriptors that are kept from it, and holds all others") {
  marked_pipe p;
  std::optional<kept_from_children> mark;
  SUBCASE("marked") {
    mark.emplace(p.writing.get());
    p.fork_child();
    mark.reset();
    p.writing.reset();
    CHECK(graceful::testing::wait_readable(p.reading.get(), patience));
  }
  SUBCASE("not marked") {
    p.fork_child();
    p.writing.reset();
    CHECK_FALSE(p.is_closed());
  }
  SUBCASE("no longer marked") {
    mark.emplace(p.writing.get());
    mark.reset();
    p.fork_child();
    p.writing.reset();
    CHECK_FALSE(p.is_closed());
  }
  SUBCASE("the mark has moved") {
    mark.emplace(p.writing.get());
    kept_from_children moved{std::move(*mark)};
    mark.reset();
    p.fork_child();
    p.writing.reset();
    CHECK(graceful::testing::wait_readable(p.reading.get(), patience));
  }
  SUBCASE("shared") {
    auto shared = graceful::os::share_but_keep(std::move(p.writing));
    p.fork_child();
    shared.reset();
    CHECK(graceful::testing::wait_readable(p.reading.get(), patience));
  }
}

TEST_CASE("in the child the number is a file that is never ready, and can be added to epoll") {
  marked_pipe p;
  const kept_from_children mark{p.reading.get()};
  REQUIRE(::write(p.writing.get(), "x", 1) == 1);
  const int code = code_of_child([&] {
    const int fd = p.reading.get();
    if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) return 1;
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) != 0) return 2;
    epoll_event event{.events = EPOLLIN, .data = {}};
    return ::epoll_ctl(::epoll_create1(EPOLL_CLOEXEC), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : 3;
  });
  CHECK(code == 0);
  // The parent still has the pipe.
  CHECK(graceful::testing::wait_readable(p.reading.get(), std::chrono::seconds{0}));
}

TEST_CASE("a child of a child does not get a stand-in a second time") {
  marked_pipe p;
  const kept_from_children mark{p.writing.get()};
  const int code = code_of_child([&] {
    // A file that the child opens under the number is passed on.
    ::dup2(p.reading.get(), p.writing.get());
    return code_of_child([&] {
      char byte = 0;
      return ::read(p.writing.get(), &byte, 1) == -1 && errno == EAGAIN ? 0 : 1;
    });
  });
  CHECK(code == 0);
}

TEST_CASE("a child of fork knows that what its parent made is not its own") {
  const graceful::os::home_process made_here;
  CHECK(made_here.is_this());
  CHECK(code_of_child([&] {
          const graceful::os::home_process made_there;
          return !made_here.is_this() && made_there.is_this() ? 0 : 1;
        }) == 0);
}

TEST_CASE("a process knows its number, however it was made") {
  CHECK(graceful::os::this_process() == ::getpid());
  const auto by_clone =
      static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  if (by_clone == 0) ::_exit(graceful::os::this_process() == ::getpid() ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(by_clone, &status, 0) == by_clone);
  CHECK(status == 0);
}

TEST_CASE("objects that are left alone are never destroyed") {
  struct mourned {
    explicit mourned(int& deaths) : deaths{deaths} {}
    ~mourned() { ++deaths; }
    int& deaths;
  };
  int deaths = 0;
  graceful::os::leave_alone(std::make_unique<mourned>(deaths));
  graceful::os::leave_alone(std::make_unique<mourned>(deaths));
  CHECK(deaths == 0);
}
