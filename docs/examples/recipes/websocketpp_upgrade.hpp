// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_EXAMPLES_WEBSOCKETPP_UPGRADE_HPP
#define GRACEFUL_EXAMPLES_WEBSOCKETPP_UPGRADE_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace graceful {
class upgrader;
}  // namespace graceful

/// What a server with WebSocket++ 0.8.2 needs of graceful. g++ compiles WebSocket++ as C++17 only,
/// and graceful as C++20: this header is of both.
class websocketpp_upgrade {
 public:
  websocketpp_upgrade(boost::asio::io_context& io, const std::string& control_path);
  ~websocketpp_upgrade();

  /// Puts the socket to be upgraded into an acceptor that WebSocket++ has bound.
  void replace(boost::asio::ip::tcp::acceptor& acceptor,
               const boost::asio::ip::tcp::endpoint& endpoint);
  void ready();
  std::uint64_t generation() const;

  /// Counts a connection until the result is destroyed, and has it say good-bye in a drain.
  std::shared_ptr<void> track(std::function<void()> say_good_bye);

 private:
  boost::asio::io_context& io_;
  std::unique_ptr<graceful::upgrader> up_;
};

#endif
