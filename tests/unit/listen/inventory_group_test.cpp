// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Several sockets on one address: when each of them listens, and who gets what was handed over.
#include "listen/inventory_fixture.hpp"
#include "os/system_failure.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace graceful_test;
using graceful::log_level;
namespace os = graceful::os;

TEST_CASE("the first socket of a group is bound alone: it does not join another user's group") {
  stock s;
  const auto stranger = listen_anywhere(reuse_port);
  const auto refused = s.items.obtain_first("http/0", address_of(stranger), {.bind_attempts = 1});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == os::system_code(EADDRINUSE));
}

TEST_CASE("a group that is newly bound listens at once, on one address") {
  stock s;
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  REQUIRE(listens(first));
  const auto second = s.items.obtain_beside(**first, "http/1", {});
  REQUIRE(listens(second));
  CHECK((*second)->address.to_string() == (*first)->address.to_string());
  CHECK(cookie_of(second) != cookie_of(first));
}

TEST_CASE("a socket that is bound beside an inherited one is not used until the commit") {
  stock s;
  const auto cookie = s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  CHECK(cookie_of(first) == cookie);
  const auto late = s.items.obtain_beside(**first, "http/1", {.backlog = 7});
  const auto user = std::make_shared<counted>();
  s.items.attach("http/1", user);
  s.items.open();
  CHECK(user->opened == 1);
  CHECK_FALSE(listens(late));
  CHECK(user->adopted.empty());
  CHECK(s.items.sockets().size() == 1);
  s.items.commit();
  CHECK(listens(late));
  CHECK(os::accept_queue_of((*late)->fd.get()).limit == 7);
  REQUIRE(user->adopted.size() == 1);
  CHECK(s.items.sockets().size() == 2);
  CHECK(listens(s.items.obtain_beside(**first, "http/2", {})));
}

TEST_CASE("a group on an address that was not handed over listens at once, even in a successor") {
  stock s;
  s.inherit("web");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  REQUIRE(listens(first));
  CHECK(listens(s.items.obtain_beside(**first, "http/1", {})));
}

TEST_CASE("an acceptor that is attached after the commit gets its socket then") {
  stock s;
  s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  const auto late = s.items.obtain_beside(**first, "http/1", {});
  s.items.open();
  s.items.commit();
  CHECK(listens(late));
  const auto user = std::make_shared<counted>();
  s.items.attach("http/1", user);
  CHECK(user->adopted.size() == 1);
  CHECK(user->opened == 1);
}

TEST_CASE("a socket that was closed before the commit does not listen after it") {
  stock s;
  s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  const auto late = s.items.obtain_beside(**first, "http/1", {});
  const auto user = std::make_shared<counted>();
  s.items.attach("http/1", user);
  s.items.open();
  s.items.remove("http/1", user.get());
  s.items.commit();
  CHECK_FALSE(listens(late));
  CHECK(user->adopted.empty());
}

TEST_CASE(
    "an acceptor that cannot take its socket at the commit is stopped, and the others serve") {
  stock s;
  s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  REQUIRE(s.items.obtain_beside(**first, "http/1", {}).has_value());
  const auto user = std::make_shared<counted>();
  user->adopts = false;
  s.items.attach("http/1", user);
  s.items.open();
  s.items.commit();
  CHECK(user->stopped == 1);
  CHECK(s.items.sockets().size() == 1);
  CHECK(s.mentions(log_level::warning, "the others on this address serve all the same"));
}

TEST_CASE("with port 0 a group adopts a single socket, and a single listener one of a group") {
  stock alone;
  const auto cookie = alone.inherit("http");
  CHECK(cookie_of(alone.items.obtain_first("http/0", v4("127.0.0.1"), {})) == cookie);
  inherited_group group;
  CHECK((group.listen("http").value())->address.to_string() == group.at.to_string());
}

TEST_CASE("with port 0 a number at the end of a name does not make a group") {
  stock s;
  const auto cookie = s.inherit("web/1");
  CHECK(cookie_of(s.listen("web/2")) != cookie);
  CHECK(cookie_of(s.listen("web/1")) == cookie);
}
