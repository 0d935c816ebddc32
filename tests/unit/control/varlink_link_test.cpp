// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_link.hpp"

#include "lingering_socket.hpp"
#include "listening_peer.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

using namespace graceful_test;
using graceful::unique_fd;
using graceful::varlink_link;
namespace wire = graceful::wire;

namespace {

const wire::call question{.method = "a.b", .parameters = {}};

/// A link, and the path to which it connects.
struct link_fixture {
  temporary_directory directory;
  const std::string path = directory.path("s");
  boost::asio::io_context io;
  int connected = 0;
  std::vector<std::string> heard;  // the errors in the replies
  int ended = 0;
  varlink_link link{
      io,
      {.connected = [this] { ++connected; },
       .reply = [this](const auto& reply) { heard.push_back(reply ? reply->error : "no reply"); },
       .end = [this] { ++ended; }}};
};

}  // namespace

TEST_CASE("a link that is lost is made again") {
  link_fixture b;
  std::optional<listening_peer> peer{b.path};
  REQUIRE(b.link.connect(b.path).has_value());
  {
    auto first = peer->accept(b.io);
    REQUIRE(b.link.connect(b.path).has_value());  // it has a connection
    CHECK_FALSE(peer->somebody_waits());
    CHECK(b.link.send(question));
    CHECK(first.receive(patience) == R"({"method":"a.b"})");
    REQUIRE(first.send(R"({"error":"a.no"})"));
    REQUIRE(first.send("x"));
  }
  run_until(b.io, [&] { return b.ended > 0; });
  CHECK(b.heard == std::vector<std::string>{"a.no", "no reply"});
  CHECK_FALSE(b.link.is_open());
  CHECK_FALSE(b.link.send(question));
  peer.reset();
  CHECK(b.link.connect(b.path).error().code == graceful::errc::not_running);
  peer.emplace(b.path);
  REQUIRE(b.link.connect(b.path).has_value());
  auto second = peer->accept(b.io);
  CHECK(b.link.send(question));
  CHECK(second.receive(patience));
  CHECK(b.connected == 2);
  CHECK(b.ended == 1);
}

TEST_CASE("a link that is closed reports nothing more, and can be made again at once") {
  link_fixture b;
  listening_peer peer{b.path};
  REQUIRE(b.link.connect(b.path).has_value());
  auto first = peer.accept(b.io);
  REQUIRE(first.send(R"({"error":"a.late"})"));
  b.link.close();
  REQUIRE(b.link.connect(b.path).has_value());
  auto second = peer.accept(b.io);
  REQUIRE(second.send(R"({"error":"b.first"})"));
  run_until(b.io, [&] { return !b.heard.empty(); });
  CHECK(b.heard == std::vector<std::string>{"b.first"});
  CHECK(first.closed_by_peer(patience));
  CHECK(b.ended == 0);
}

TEST_CASE("what has arrived can be heard before its turn comes") {
  link_fixture b;
  listening_peer peer{b.path};
  REQUIRE(b.link.connect(b.path).has_value());
  auto connection = peer.accept(b.io);
  REQUIRE(connection.send(R"({"error":"a.one"})"));
  REQUIRE(connection.send(R"({"error":"a.two"})"));
  b.link.catch_up();
  CHECK(b.heard == std::vector<std::string>{"a.one", "a.two"});
}

TEST_CASE("a link that is closed or destroyed does not wait for a descriptor that nobody read") {
  for (const bool closed : {false, true}) {
    lingering_socket late;
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    const unique_fd peer{ends[1]};
    REQUIRE(lingering_socket::send(peer.get(), "x", late.release()));
    boost::asio::io_context io;
    auto link = std::make_unique<varlink_link>(io, varlink_link::callbacks{});
    link->use(unique_fd{ends[0]}, wire::framer{64});
    const auto taken = duration_of([&] {
      if (closed) link->close();
      link.reset();
    });
    CHECK(taken < lingering_socket::no_wait);
  }
}
