// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// Where what a process listens on comes from, and who gets what was not asked for.
#include "listen/inventory.hpp"
#include "listen/inventory_fixture.hpp"
#include "os/control_path.hpp"
#include "os/listening_socket.hpp"

#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace graceful_test;
using graceful::errc;
using graceful::inventory;
using graceful::log_level;
using graceful::unique_fd;
namespace os = graceful::os;

TEST_CASE("a name has 1 to 255 characters and does not start with '@'") {
  stock s;
  for (const std::string& bad : {std::string{}, std::string{"@web"}, std::string{"@"},
                                 std::string(256, 'x'), std::string{"a\0b", 3}}) {
    CAPTURE(bad);
    const auto refused = s.listen(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::invalid_argument);
  }
  CHECK(s.listen(std::string(255, 'x')).has_value());
  CHECK(s.listen("a@b é").has_value());
}

TEST_CASE("a name that JSON cannot carry is refused, because no successor could get it") {
  stock s;
  for (const char* bad : {"caf\xe9", "\xff", "\xc3", "\xed\xa0\x80"}) {
    const auto refused = s.listen(bad);
    CHECK_FALSE(refused.has_value());
  }
}

TEST_CASE("a name can be used once") {
  stock s;
  const auto first = s.listen("web");
  REQUIRE(first.has_value());
  const auto second = s.listen("web");
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::invalid_argument);
  CHECK(second.error().message.find("'web'") != std::string::npos);
  CHECK(s.items.sockets().size() == 1);
}

TEST_CASE("a name is free again if its socket could not be made, or was removed") {
  stock s;
  const auto holder = listen_anywhere();
  CHECK_FALSE(s.listen("web", address_of(holder), {.bind_attempts = 1}).has_value());
  CHECK(s.items.sockets().empty());
  CHECK(s.listen("web").has_value());
  s.items.remove("web", nullptr);
  CHECK(s.items.sockets().empty());
  CHECK(s.listen("web").has_value());
}

TEST_CASE(
    "a listener that waits in accept(2) takes no socket that its predecessor does not wait on") {
  constexpr graceful::listen_params waits{.blocking = true};
  stock s;
  s.inherit("busy");
  const auto refused = s.listen("busy", v4("127.0.0.1"), waits);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::wrong_socket);
  CHECK(refused.error().message.find("stop the predecessor") != std::string::npos);
  s.inherit("patient", v4("127.0.0.1"), waits);
  const auto taken = s.listen("patient", v4("127.0.0.1"), waits);
  REQUIRE(taken.has_value());
  CHECK(os::is_blocking((*taken)->fd.get()));
}

TEST_CASE("a socket that a service manager has passed waits in accept(2) only if it is to") {
  for (const bool waits : {false, true}) {
    stock s;
    s.items.inherit("web", listen_anywhere({.blocking = !waits}),
                    graceful::origin::service_manager);
    const auto taken = s.listen("web", v4("127.0.0.1"), {.blocking = waits});
    REQUIRE(taken.has_value());
    CHECK(os::is_blocking((*taken)->fd.get()) == waits);
  }
}

TEST_CASE("a socket that was handed over is adopted by its name") {
  stock s;
  const auto cookie = s.inherit("web");
  s.inherit("admin");
  CHECK(cookie_of(s.listen("web")) == cookie);
}

TEST_CASE("an adopted socket is non-blocking, and knows its address") {
  stock s;
  s.inherit("web");
  const auto socket = s.listen("web").value();
  CHECK(is_nonblocking(socket->fd.get()));
  CHECK(socket->name == "web");
  CHECK(socket->address.port() != 0);
}

TEST_CASE(
    "a socket that was handed over under another name is adopted by its address, and logged") {
  stock s;
  const auto at = free_address();
  const auto cookie = s.inherit("http", at);
  CHECK(cookie_of(s.listen("web", at)) == cookie);
  CHECK(s.mentions(log_level::info, "'http'"));
}

TEST_CASE("swapped names get the sockets of their addresses") {
  stock s;
  const auto [one, two] = free_addresses();
  const auto cookie_one = s.inherit("a", one);
  const auto cookie_two = s.inherit("b", two);
  CHECK(cookie_of(s.listen("a", two)) == cookie_two);
  CHECK(cookie_of(s.listen("b", one)) == cookie_one);
}

TEST_CASE("port 0 adopts the socket with the same name, and no other") {
  stock s;
  const auto cookie = s.inherit("web");
  CHECK(cookie_of(s.listen("other")) != cookie);
  CHECK(cookie_of(s.listen("web")) == cookie);
}

TEST_CASE("a name whose address differs is bound again, and the log says so") {
  stock s;
  const auto cookie = s.inherit("web");
  const auto socket = s.listen("web", v4("127.0.0.2"));
  CHECK(cookie_of(socket) != cookie);
  CHECK((*socket)->address.to_string().starts_with("127.0.0.2:"));
  CHECK(s.mentions(log_level::warning, "bound again"));
}

TEST_CASE("each of several sockets on one address is adopted by its own name") {
  stock s;
  const auto first = listen_anywhere({.reuse_port = true});
  const auto at = address_of(first);
  const auto a = s.inherit("a", at, {.reuse_port = true});
  const auto b = s.inherit("b", at, {.reuse_port = true});
  CHECK(cookie_of(s.listen("b", at)) == b);
  CHECK(cookie_of(s.listen("a", at)) == a);
}

TEST_CASE("a descriptor that is not a listening TCP socket is refused, with its name") {
  stock s;
  temporary_directory d;
  s.items.inherit("web", os::bind_control(d.path("s")).value());
  const auto refused = s.listen("web");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::wrong_socket);
  CHECK(refused.error().message == "listener 'web': what was passed is no TCP socket");
}

TEST_CASE("the caller's own socket is kept, unless one was handed over") {
  stock s;
  auto own = listen_anywhere();
  const auto cookie = os::cookie_of(own.get());
  const auto at = address_of(own);
  CHECK(cookie_of(s.items.obtain("own", at, {}, std::move(own))) == cookie);
  const auto inherited = s.inherit("web");
  CHECK(cookie_of(s.items.obtain("web", v4("127.0.0.1"), {}, listen_anywhere())) == inherited);
}

TEST_CASE("an unclaimed socket is closed when all are opened, and the log says so") {
  stock s;
  s.inherit("web");
  auto unclaimed = listen_anywhere();
  const auto at = address_of(unclaimed);
  const int number = unclaimed.get();
  s.items.inherit("old", std::move(unclaimed));
  REQUIRE(s.listen("web").has_value());
  CHECK(is_open_descriptor(number));
  s.items.open();
  CHECK_FALSE(is_open_descriptor(number));
  CHECK_THROWS(connect_to(at));
  CHECK(s.mentions(log_level::warning, "'old' (" + at.to_string() + ")"));
  CHECK_FALSE(s.mentions(log_level::warning, "'web'"));
}

TEST_CASE("an unclaimed socket can be claimed late, until claims are settled") {
  stock s;
  s.items.keep_unclaimed();
  const auto cookie = s.inherit("late");
  s.inherit("never");
  REQUIRE(s.listen("web").has_value());
  CHECK(s.items.unwanted().size() == 2);
  s.items.open();
  CHECK(cookie_of(s.listen("late")) == cookie);
  CHECK(s.items.settle_claims() == inventory::names{"never"});
  CHECK(s.items.settle_claims() == inventory::names{"never"});
  REQUIRE(s.items.dropped().size() == 1);
  CHECK(s.mentions(log_level::warning, "is dropped: this build does not listen on it"));
  const auto afresh = s.listen("never");
  REQUIRE(afresh.has_value());
  CHECK_FALSE((*afresh)->adopted);
}

TEST_CASE("a socket from a service manager can be claimed late too, until claims are settled") {
  stock s;
  auto fd = listen_anywhere();
  const auto cookie = os::cookie_of(fd.get());
  const auto at = address_of(fd);
  s.items.inherit("late", std::move(fd), graceful::origin::service_manager);
  auto never = listen_anywhere();
  const int number = never.get();
  s.items.inherit("never", std::move(never), graceful::origin::service_manager);
  s.items.open();
  CHECK(cookie_of(s.listen("late", at)) == cookie);
  CHECK(is_open_descriptor(number));
  CHECK(s.items.settle_claims().empty());  // the predecessor has not passed any
  CHECK_FALSE(is_open_descriptor(number));
}

TEST_CASE("an IPv6-only socket is not adopted where IPv4 is asked for too, nor the reverse") {
  const auto any = graceful_test::v6("::");
  for (const bool handed_over : {true, false}) {
    CAPTURE(handed_over);
    stock s;
    s.inherit("web", any, {.v6only = handed_over});
    const auto refused = s.listen("web", any, {.v6only = !handed_over});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::wrong_socket);
    CHECK(refused.error().message.find("listen_params::v6only = ") != std::string::npos);
    stock same;
    same.inherit("web", any, {.v6only = handed_over});
    CHECK(same.listen("web", any, {.v6only = handed_over}).has_value());
  }
}

TEST_CASE("an address that this process's own socket holds is reported with that socket's name") {
  stock s;
  const auto dual = s.listen("web", graceful_test::v6("::"), {.v6only = false});
  REQUIRE(dual.has_value());
  const auto port = (*dual)->address.port();
  const auto refused = s.listen("v4", v4("0.0.0.0", port), {.bind_attempts = 1});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("'web' (" + (*dual)->address.to_string() + ") takes IPv4") !=
        std::string::npos);
}

TEST_CASE("the caller's own socket is completed, replaced, or refused for its address") {
  stock s;
  auto bound = os::bind_tcp(v4("127.0.0.1"), {}).value();
  const auto cookie = os::cookie_of(bound.get());
  const auto at = address_of(bound);
  const auto completed = s.items.obtain("bound", at, {}, std::move(bound));
  CHECK(cookie_of(completed) == cookie);
  CHECK(listens(completed));

  unique_fd opened{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto replaced = s.items.obtain("opened", v4("127.0.0.1"), {}, std::move(opened));
  CHECK(listens(replaced));

  const auto refused = s.items.obtain("elsewhere", v4("127.0.0.2"), {}, listen_anywhere());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::invalid_argument);
  CHECK(refused.error().message.find("127.0.0.2") != std::string::npos);
}

TEST_CASE("an adopted socket has the predecessor's backlog until all are opened") {
  stock s;
  s.inherit("web", v4("127.0.0.1"), {.backlog = 5});
  const auto socket = s.listen("web", v4("127.0.0.1"), {.backlog = 9}).value();
  CHECK(os::accept_queue_of(socket->fd.get()).limit == 5);
  s.items.open();
  CHECK(os::accept_queue_of(socket->fd.get()).limit == 9);
}

TEST_CASE("unclaimed sockets and those bound here are known") {
  stock s;
  auto first = listen_anywhere();
  const auto at = address_of(first);
  s.items.inherit("asked", std::move(first));
  s.items.inherit("unasked", listen_anywhere());
  REQUIRE(s.items.obtain("asked", at, {}, {}).has_value());
  REQUIRE(s.listen("fresh").has_value());
  CHECK(s.items.unwanted() == inventory::names{"unasked"});
  const auto late = s.listen("unasked");  // not the inherited one: that is already taken
  REQUIRE(late.has_value());
  CHECK_FALSE((*late)->adopted);
  s.items.remove("unasked", nullptr);
  CHECK(s.items.own() == inventory::names{"fresh"});
}

TEST_CASE("unclaimed sockets go to the acceptors on their address, evenly") {
  inherited_group s;
  const auto one = std::make_shared<counted>();
  const auto two = std::make_shared<counted>();
  REQUIRE(s.listen("http/0", s.at).has_value());
  s.items.attach("http/0", one);
  REQUIRE(s.listen("http/1", s.at).has_value());
  s.items.attach("http/1", two);
  s.items.open();
  REQUIRE(one->adopted.size() == 1);
  REQUIRE(two->adopted.size() == 1);
  CHECK(s.items.sockets().size() == 4);
  CHECK(s.items.find("http/2") != nullptr);
  CHECK(s.items.find("http/3") != nullptr);
  CHECK(s.mentions(log_level::info, "the listener on that address accepts from it too"));
  CHECK(one->opened >= 1);
}

TEST_CASE("an unclaimed socket gets the backlog of the acceptor that takes it") {
  inherited_group s;
  REQUIRE(s.listen("http", s.at, {.backlog = 9}).has_value());
  s.items.attach("http", std::make_shared<counted>());
  s.items.open();
  REQUIRE(s.items.sockets().size() == 4);
  for (const auto& socket : s.items.sockets()) {
    CHECK(os::accept_queue_of(socket->fd.get()).limit == 9);
  }
}

TEST_CASE("an unclaimed socket gets another name if its own is in use") {
  stock s;
  const auto first = listen_anywhere(reuse_port);
  s.inherit("a", address_of(first), reuse_port);
  s.inherit("b", address_of(first), reuse_port);
  REQUIRE(s.listen("b", v4("127.0.0.2")).has_value());  // its own name, elsewhere
  REQUIRE(s.listen("a", address_of(first)).has_value());
  s.items.attach("a", std::make_shared<counted>());
  s.items.open();
  CHECK(s.items.find("b/0") != nullptr);
}

TEST_CASE("an unclaimed socket is closed if the acceptor on its address cannot take it") {
  inherited_group s;
  const auto user = std::make_shared<counted>();
  user->adopts = false;
  REQUIRE(s.listen("http", s.at).has_value());
  s.items.attach("http", user);
  s.items.open();
  CHECK(s.items.sockets().size() == 1);
  CHECK(s.mentions(log_level::warning, "was handed over but not asked for: it is closed"));
}
