// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/kept_descriptors.hpp"

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
outcome keep(kept_descriptors& kept, const char* name, unique_fd fd) { return kept.keep(name, fd); }
unique_fd copy(const unique_fd& fd) { return unique_fd{::dup(fd.get())}; }

}  // namespace

TEST_CASE("a socket is kept once under a name, and several may have the same name") {
  kept_descriptors kept{10};
  const auto a = fresh();
  const auto b = fresh();
  CHECK(keep(kept, "http", copy(a)) == outcome::kept);
  CHECK(keep(kept, "http", copy(a)) == outcome::known);
  CHECK(keep(kept, "http", copy(b)) == outcome::kept);
  CHECK(keep(kept, "other", copy(a)) == outcome::kept);
  CHECK(kept.items().size() == 3);
  CHECK(kept.remove("http").size() == 2);
  CHECK(kept.remove("http").size() == 0);
  CHECK(kept.items().size() == 1);
  CHECK(kept.items().front().name == "other");
}

TEST_CASE("files that share an inode are told apart") {
  kept_descriptors kept{10};
  CHECK(keep(kept, "event", unique_fd{::eventfd(0, EFD_CLOEXEC)}) == outcome::kept);
  CHECK(keep(kept, "event", unique_fd{::eventfd(0, EFD_CLOEXEC)}) == outcome::kept);
}

TEST_CASE("beyond the limit a descriptor is not kept, and stays the caller's") {
  kept_descriptors kept{1};
  CHECK(keep(kept, "a", fresh()) == outcome::kept);
  auto surplus = fresh();
  CHECK(kept.keep("b", surplus) == outcome::full);
  CHECK(::fcntl(surplus.get(), F_GETFD) >= 0);
  CHECK(keep(kept, "c", unique_fd{}) == outcome::full);
}

TEST_CASE(
    "the names of all kept descriptors have a limit together, like the variable that passes them") {
  kept_descriptors kept{10, 10};
  CHECK(keep(kept, "1234", fresh()) == outcome::kept);
  CHECK(keep(kept, "12345", fresh()) == outcome::names_too_long);
  CHECK(keep(kept, "abcd", fresh()) == outcome::kept);
  CHECK(keep(kept, "x", fresh()) == outcome::names_too_long);
  CHECK(kept.remove("abcd").size() == 1);
  CHECK(keep(kept, "x", fresh()) == outcome::kept);
  CHECK(kept.items().size() == 2);
}
