// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/unique_fd.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <utility>

#include <fcntl.h>

namespace {

using graceful::unique_fd;

int open_something() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

static_assert(!std::is_copy_constructible_v<unique_fd>);
static_assert(!std::is_copy_assignable_v<unique_fd>);
static_assert(std::is_nothrow_move_constructible_v<unique_fd>);
static_assert(std::is_nothrow_move_assignable_v<unique_fd>);
static_assert(!std::is_convertible_v<int, unique_fd>);

}  // namespace

TEST_CASE("an empty unique_fd owns nothing") {
  unique_fd fd;
  CHECK_FALSE(fd);
  CHECK(fd.get() == -1);
  CHECK(fd.release() == -1);
  fd.reset();
  CHECK_FALSE(fd);
}

TEST_CASE("descriptor 0 is a descriptor like any other") {
  unique_fd fd{0};
  CHECK(fd);
  CHECK(fd.release() == 0);
}

TEST_CASE("an owned descriptor is closed at the end") {
  const int raw = open_something();
  {
    const unique_fd fd{raw};
    CHECK(fd);
    CHECK(fd.get() == raw);
    CHECK(is_open(raw));
  }
  CHECK_FALSE(is_open(raw));
}

TEST_CASE("a move takes the descriptor along") {
  const int raw = open_something();
  unique_fd a{raw};
  const unique_fd b{std::move(a)};
  CHECK_FALSE(a);  // NOLINT(bugprone-use-after-move)
  CHECK(b.get() == raw);
  CHECK(is_open(raw));
}

TEST_CASE("a move onto another unique_fd closes the descriptor of that one") {
  const int first = open_something();
  const int second = open_something();
  unique_fd a{first};
  unique_fd b{second};
  b = std::move(a);
  CHECK_FALSE(is_open(second));
  CHECK(is_open(first));
  CHECK(b.get() == first);
}

TEST_CASE("a move onto itself changes nothing") {
  const int raw = open_something();
  unique_fd fd{raw};
  unique_fd& same = fd;
  fd = std::move(same);
  CHECK(fd.get() == raw);
  CHECK(is_open(raw));
}

TEST_CASE("a released descriptor stays open") {
  const int raw = open_something();
  {
    unique_fd fd{raw};
    CHECK(fd.release() == raw);
    CHECK_FALSE(fd);
  }
  CHECK(is_open(raw));
  ::close(raw);
}

TEST_CASE("a reset closes the owned descriptor and owns the new one") {
  const int first = open_something();
  const int second = open_something();
  unique_fd fd{first};
  fd.reset(second);
  CHECK_FALSE(is_open(first));
  CHECK(fd.get() == second);
  fd.reset();
  CHECK_FALSE(is_open(second));
}
