// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace graceful_bench {

/// Makes `count` connections, which wait in the accept queue if nobody takes them. They end with a
/// reset, so that none stays in TIME_WAIT and holds its port.
std::vector<graceful::unique_fd> connect_many(const boost::asio::ip::tcp::endpoint& server,
                                              std::size_t count);

/// Clients that connect and wait until the server closes the connection, `width` at a time each,
/// for as long as the object lives.
class connection_storm {
 public:
  connection_storm(const boost::asio::ip::tcp::endpoint& server, int threads, std::size_t width);

 private:
  std::vector<std::jthread> clients_;
};

}  // namespace graceful_bench
