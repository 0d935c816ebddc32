// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace graceful {
class upgrader;
}

/// An upgrader for a program that cannot be compiled as C++20, such as those with WebSocket++
/// 0.8.2. This header is C++14; its source is C++20.
class upgrader_glue {
 public:
  explicit upgrader_glue(boost::asio::io_context& context);
  ~upgrader_glue();

  /// Replaces the socket that the framework has bound.
  void listen(boost::asio::ip::tcp::acceptor& acceptor,
              const boost::asio::ip::tcp::endpoint& endpoint);
  void ready();

 private:
  std::unique_ptr<graceful::upgrader> up_;
};
