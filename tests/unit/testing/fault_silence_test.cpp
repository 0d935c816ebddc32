// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/census.hpp>

#include "fault_fixture.hpp"
#include "unix_host.hpp"
#include "varlink_peer.hpp"

#include <doctest/doctest.h>

#include <string>

#include <signal.h>

using namespace graceful_test;

namespace {

/// A server that waits with an edge-triggered epoll: for a connection that it has made, one that it
/// has accepted, a Unix and a TCP listener, and its own pair.
struct served {
  served() {
    REQUIRE(server.wait_for_output("serving", patience));
    REQUIRE(client.send("one"));
    REQUIRE(server.wait_for_output("heard one", patience));
    REQUIRE(client.receive(patience));
    REQUIRE(peer.send("two"));
    REQUIRE(server.wait_for_output("heard two", patience));
    REQUIRE(peer.receive(patience));
    port = static_cast<std::uint16_t>(
        std::stoi(server.output().substr(server.output().find("port ") + 5)));
  }

  [[nodiscard]] bool tcp_answers() const { return read_from_port(port) == "hello"; }

  fault_fixture s;
  unix_host host{s.here.path("peer")};
  process& server{s.start({"serve", host.path(), s.here.path("control")})};
  varlink_peer peer{host.accept(patience)};
  varlink_peer client{(static_cast<void>(server.wait_for_output("serving", patience)),
                       varlink_peer::connect(s.here.path("control")))};
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("an unreachable process hears and sends nothing, and its TCP sockets keep working") {
  served it;
  REQUIRE(it.tcp_answers());
  REQUIRE(it.server.wait_for_output("own tcp client", patience));
  it.s.faults.arm(it.server.pid(), fault::at_call("any", 1, fault::action::unreachable));
  REQUIRE(it.tcp_answers());
  const auto hit = it.s.faults.fired(it.server.pid(), patience);
  REQUIRE(hit);
  const auto before = it.server.output();
  REQUIRE(it.client.send("three"));
  REQUIRE(it.peer.send("four"));
  auto late = varlink_peer::connect(it.s.here.path("control"));
  REQUIRE(late.send("five"));
  // Any reply to these would come before the TCP client's.
  for (int i = 0; i < 3; ++i) REQUIRE(it.tcp_answers());
  REQUIRE(it.server.wait_for_output("own tcp client", patience));
  const auto after = it.server.output().substr(before.size());
  INFO(after);
  CHECK(after.find("heard") == std::string::npos);
  CHECK(after.find("unix client") == std::string::npos);
  CHECK(after.find("own tcp client") != std::string::npos);
  CHECK_FALSE(it.client.receive(std::chrono::milliseconds{50}));
  CHECK_FALSE(it.client.closed_by_peer(std::chrono::milliseconds{0}));
  CHECK_FALSE(late.closed_by_peer(std::chrono::milliseconds{0}));
}

TEST_CASE("a process that has become unreachable sleeps: nothing wakes it again and again") {
  served it;
  it.s.faults.arm(it.server.pid(), fault::at_call("epoll_wait", 1, fault::action::unreachable,
                                                  fault::moment::after));
  REQUIRE(it.tcp_answers());
  REQUIRE(it.s.faults.fired(it.server.pid(), patience));
  for (int i = 0; i < 10; ++i) REQUIRE(it.client.send("word"));
  REQUIRE(it.tcp_answers());
  const auto before = it.s.faults.calls(it.server.pid()).calls;
  for (int i = 0; i < 100; ++i) REQUIRE(it.client.send("word"));
  REQUIRE(it.tcp_answers());
  // One connection costs about a dozen calls; a loop that spins makes thousands meanwhile.
  CHECK(it.s.faults.calls(it.server.pid()).calls - before < 60);
}

TEST_CASE("the epoll of an unreachable process keeps its entries") {
  served it;
  const auto before = take_census(it.server.pid());
  it.s.faults.arm(it.server.pid(), fault::at_call("epoll_wait", 1, fault::action::unreachable,
                                                  fault::moment::after));
  REQUIRE(it.tcp_answers());
  REQUIRE(it.s.faults.fired(it.server.pid(), patience));
  const auto after = take_census(it.server.pid());
  CHECK(after.epoll_entries == before.epoll_entries);
  CHECK(descriptors_without_cloexec(it.server.pid()).size() == 2);  // its own pair
}

TEST_CASE("poll in an unreachable process keeps its deadline, and its output still works") {
  for (const bool sockets : {false, true}) {  // its outputs
    CAPTURE(sockets);
    fault_fixture s;
    s.sockets_for_outputs = sockets;
    unix_host host{s.here.path("peer")};
    process& p =
        s.start({"poll", host.path()},
                fault::at_call("poll", 1, fault::action::unreachable, fault::moment::after));
    auto peer = host.accept(patience);
    REQUIRE(p.wait_for_output("connected", patience));
    REQUIRE(peer.send("first"));
    REQUIRE(p.wait_for_output("connect 0", patience));
    const auto said = p.output();
    INFO(said);
    CHECK(said.find("word Resource temporarily unavailable") != std::string::npos);
    CHECK(said.find("ready 0") != std::string::npos);
    CHECK(said.find("not sent") == std::string::npos);
    CHECK_FALSE(peer.receive(std::chrono::milliseconds{50}));
    CHECK_FALSE(host.has_client());
  }
}
