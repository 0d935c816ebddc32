// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What `upgrader::listen` makes of an acceptor that the server had before.
#include <graceful/upgrader.hpp>

#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <doctest/doctest.h>

using namespace graceful_test;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct acceptor_owner {
  temporary_directory place;
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = place.path("s.sock"), .log = [](auto, auto) {}}};
  tcp::endpoint loopback{asio::ip::address_v4::loopback(), 0};
  tcp::acceptor acceptor{io};
};

}  // namespace

TEST_CASE("listen also binds an acceptor that was only opened") {
  acceptor_owner s;
  s.acceptor.open(tcp::v4());
  s.acceptor.set_option(tcp::acceptor::reuse_address{true});
  s.up.listen(s.acceptor, "web", s.loopback);
  s.acceptor.listen();  // as the server did before; it already listens
  tcp::socket client{s.io};
  CHECK_NOTHROW(client.connect(s.acceptor.local_endpoint()));
}

TEST_CASE("listen keeps the socket of an acceptor that already listens") {
  acceptor_owner s;
  s.acceptor = {s.io, s.loopback};
  const auto address = s.acceptor.local_endpoint();
  s.up.listen(s.acceptor, "web", address);
  CHECK(s.acceptor.local_endpoint() == address);
  tcp::socket client{s.io};
  CHECK_NOTHROW(client.connect(address));
}

TEST_CASE("listen makes a bound acceptor listen, and refuses it for another address") {
  acceptor_owner s;
  s.acceptor.open(tcp::v4());
  s.acceptor.bind(s.loopback);
  const auto address = s.acceptor.local_endpoint();
  const tcp::endpoint elsewhere{asio::ip::make_address("127.0.0.2"), address.port()};
  CHECK_THROWS_AS(s.up.listen(s.acceptor, "web", elsewhere), graceful::error);
  s.up.listen(s.acceptor, "web", address);
  CHECK(s.acceptor.local_endpoint() == address);
  tcp::socket client{s.io};
  CHECK_NOTHROW(client.connect(address));
}
