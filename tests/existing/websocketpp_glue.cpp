// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "websocketpp_glue.hpp"

#include <graceful/upgrader.hpp>

#include <cstdlib>

upgrader_glue::upgrader_glue(boost::asio::io_context& context)
    : up_{std::make_unique<graceful::upgrader>(
          context, graceful::options{.control_path = std::getenv("CONTROL")})} {}

upgrader_glue::~upgrader_glue() = default;

void upgrader_glue::listen(boost::asio::ip::tcp::acceptor& acceptor,
                           const boost::asio::ip::tcp::endpoint& endpoint) {
  acceptor.close();
  up_->listen(acceptor, "websocket", endpoint);
}

void upgrader_glue::ready() { up_->ready(); }
