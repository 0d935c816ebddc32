// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "kept_descriptors.hpp"

#include <doctest/doctest.h>

#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

using graceful::kept_descriptors;
using graceful::unique_fd;
using outcome = kept_descriptors::outcome;

namespace {

unique_fd fresh() { return unique_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}; }
unique_fd copy(const unique_fd& fd) { return unique_fd{::dup(fd.get())}; }

}  // namespace

TEST_CASE("a socket is kept once for a name, and so are several of that name") {
  kept_descriptors kept{10};
  const auto a = fresh();
  const auto b = fresh();
  CHECK(kept.keep("http", copy(a)) == outcome::kept);
  CHECK(kept.keep("http", copy(a)) == outcome::known);
  CHECK(kept.keep("http", copy(b)) == outcome::kept);
  CHECK(kept.keep("other", copy(a)) == outcome::kept);
  CHECK(kept.items().size() == 3);
  CHECK(kept.remove("http") == 2);
  CHECK(kept.remove("http") == 0);
  CHECK(kept.items().size() == 1);
  CHECK(kept.items().front().name == "other");
}

TEST_CASE("files that share an inode are told apart") {
  kept_descriptors kept{10};
  CHECK(kept.keep("event", unique_fd{::eventfd(0, EFD_CLOEXEC)}) == outcome::kept);
  CHECK(kept.keep("event", unique_fd{::eventfd(0, EFD_CLOEXEC)}) == outcome::kept);
}

TEST_CASE("beyond the limit nothing is kept, and it is closed") {
  kept_descriptors kept{1};
  CHECK(kept.keep("a", fresh()) == outcome::kept);
  auto surplus = fresh();
  const int number = surplus.get();
  CHECK(kept.keep("b", std::move(surplus)) == outcome::full);
  CHECK(::fcntl(number, F_GETFD) < 0);
  CHECK(kept.keep("c", unique_fd{}) == outcome::full);
}

TEST_CASE("the names of all that is kept have a limit together, as the variable that passes them") {
  kept_descriptors kept{10, 10};
  CHECK(kept.keep("1234", fresh()) == outcome::kept);
  CHECK(kept.keep("12345", fresh()) == outcome::names_too_long);
  CHECK(kept.keep("abcd", fresh()) == outcome::kept);
  CHECK(kept.keep("x", fresh()) == outcome::names_too_long);
  CHECK(kept.remove("abcd") == 1);
  CHECK(kept.keep("x", fresh()) == outcome::kept);
  CHECK(kept.items().size() == 2);
}
