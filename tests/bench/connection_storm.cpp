// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "connection_storm.hpp"

#include "raw_handoff.hpp"

#include <stop_token>

#include <netinet/in.h>
#include <sys/socket.h>

namespace graceful_bench {

namespace {

using boost::asio::ip::tcp;
using graceful::unique_fd;

unique_fd connect_once(const tcp::endpoint& server) {
  unique_fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  const auto size = static_cast<socklen_t>(server.size());
  require(::connect(socket.get(), server.data(), size) == 0, "connect");
  return socket;
}

}  // namespace

std::vector<unique_fd> connect_many(const tcp::endpoint& server, std::size_t count) {
  std::vector<unique_fd> connections;
  connections.reserve(count);
  for (std::size_t i = 0; i < count; ++i) connections.push_back(connect_once(server));
  return connections;
}

connection_storm::connection_storm(const tcp::endpoint& server, int threads, std::size_t width) {
  for (int i = 0; i < threads; ++i) {
    clients_.emplace_back([server, width](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const unique_fd& connection : connect_many(server, width)) {
          char byte = 0;
          (void)::recv(connection.get(), &byte, 1, 0);
        }
      }
    });
  }
}

}  // namespace graceful_bench
