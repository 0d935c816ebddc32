// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/inheritance.hpp"

#include "listen/inventory_fixture.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>

namespace os = graceful::os;
using namespace graceful_test;
using graceful::inheritance;
using graceful::origin;
using graceful::unique_fd;
using names = graceful::inventory::names;

namespace {

unique_fd duplicate_of(const unique_fd& fd) {
  return unique_fd{::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)};
}

}  // namespace

TEST_CASE("sockets from the predecessor go before those from a service manager") {
  const auto at = v4("127.0.0.1");
  for (const bool manager_first : {false, true}) {
    inheritance passed;
    for (const bool manager : {manager_first, !manager_first}) {
      passed.add(
          "a", {listen_anywhere(), manager ? origin::service_manager : origin::predecessor, false});
    }
    CHECK(passed.take("a", at).socket.value().what.from == origin::predecessor);
    CHECK(passed.take("a", at).socket.value().what.from == origin::service_manager);
    CHECK_FALSE(passed.take("a", at).socket.has_value());
  }
}

TEST_CASE(
    "several sockets with one name, as in a .socket unit, are told apart by their addresses") {
  inheritance passed;
  std::vector<os::socket_address> bound;
  for (int i = 0; i < 3; ++i) {
    auto fd = listen_anywhere();
    bound.push_back(address_of(fd));
    passed.add("web.socket", {std::move(fd), origin::service_manager, false});
  }
  for (const int i : {1, 2, 0}) {
    const auto found = passed.take("http", bound[static_cast<std::size_t>(i)]).socket;
    REQUIRE(found.has_value());
    CHECK(found->address.port() == bound[static_cast<std::size_t>(i)].port());
    CHECK(found->name == "web.socket");
  }
}

TEST_CASE("a socket that arrives twice exists once, and is known to be kept") {
  const auto fd = listen_anywhere();
  inheritance passed;
  passed.add("http", {duplicate_of(fd), origin::predecessor, false});
  passed.add("web.socket", {duplicate_of(fd), origin::service_manager, false});
  CHECK(passed.all().size() == 1);
  const auto found = passed.take("http", address_of(fd)).socket;
  REQUIRE(found.has_value());
  CHECK(found->what.from == origin::predecessor);
  CHECK(found->what.kept);
}

TEST_CASE("a socket that a service manager keeps is not sealed, and one that it does not keep is") {
  stock s;
  const auto kept = listen_anywhere();
  const auto at = address_of(kept);
  s.items.inherit("kept", duplicate_of(kept), origin::service_manager);
  REQUIRE(s.items.obtain("kept", at, {}, {}).has_value());
  const auto own = s.items.obtain("own", v4("127.0.0.1"), {}, {});
  REQUIRE(own.has_value());
  s.items.open();
  CHECK(s.items.kept() == names{"kept"});
  s.items.seal();
  CHECK(is_reachable(at));
  CHECK_FALSE(is_reachable(address_of((*own)->fd)));
}

TEST_CASE("a socket from a service manager is not among those that the predecessor takes back") {
  stock s;
  auto from_predecessor = listen_anywhere();
  auto from_manager = listen_anywhere();
  const auto one = address_of(from_predecessor);
  const auto two = address_of(from_manager);
  s.items.inherit("one", std::move(from_predecessor));
  s.items.inherit("two", std::move(from_manager), origin::service_manager);
  s.items.inherit("three", listen_anywhere());
  s.items.inherit("four", listen_anywhere(), origin::supervisor);
  REQUIRE(s.items.obtain("one", one, {}, {}).has_value());
  REQUIRE(s.items.obtain("two", two, {}, {}).has_value());
  CHECK(s.items.own() == names{"two"});
  CHECK(s.items.unwanted() == names{"three"});
}

TEST_CASE("with several origins the log says where each socket came from") {
  stock s;
  s.items.tell_origins();
  s.items.inherit("a", listen_anywhere());
  s.items.inherit("b", listen_anywhere(), origin::service_manager);
  s.items.inherit("c", listen_anywhere(), origin::supervisor);
  for (const char* name : {"a", "b", "c", "d"}) {
    REQUIRE(s.items.obtain(name, v4("127.0.0.1"), {}, {}).has_value());
  }
  REQUIRE(s.entries.size() == 4);
  const std::vector<std::string> ways{"comes from the predecessor",
                                      "comes from the service manager", "comes from the supervisor",
                                      "is bound"};
  for (std::size_t i = 0; i < 4; ++i) CHECK(s.entries[i].second.ends_with(ways[i]));
}
