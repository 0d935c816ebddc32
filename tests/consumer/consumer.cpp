// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A program outside the tree: sees the installed headers and libraries only.
#include <graceful.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  boost::asio::io_context io;
  graceful::upgrader up{io, {.name = "consumer", .control_path = argv[1]}};
  auto acceptor = up.listen<boost::asio::ip::tcp>(
      "http", {boost::asio::ip::address_v4::loopback(), 0}, {.backlog = 16});
  up.ready();
  const auto client = graceful::control_client::connect(argv[1], std::chrono::seconds{5});
  std::printf("generation %d on port %d, graceful %s\n", static_cast<int>(up.generation()),
              acceptor.local_endpoint().port(), GRACEFUL_VERSION_STRING);
  return client && acceptor.is_open() ? 0 : 1;
}
