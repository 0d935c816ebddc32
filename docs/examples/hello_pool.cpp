// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The smallest server on several threads that can be upgraded: the second program of the README.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;

struct vars {
  std::string greeting = "hello\n";
};  // what all sessions share

struct session : std::enable_shared_from_this<session> {
  session(tcp::socket s, vars& v) : socket{std::move(s)}, shared{v} {}
  void start() {
    asio::async_write(socket, asio::buffer(shared.greeting),
                      [self = shared_from_this()](auto, auto) {});
  }
  tcp::socket socket;
  vars& shared;
};

int main() {
  graceful::server<session, vars> server{{.name = "hello"}};
  return server.listen_and_serve("0.0.0.0", 8080);
}
