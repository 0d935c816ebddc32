// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "websocketpp_upgrade.hpp"

#include <graceful/upgrader.hpp>

#include <utility>

websocketpp_upgrade::websocketpp_upgrade(boost::asio::io_context& io,
                                         const std::string& control_path)
    : io_{io},
      up_{std::make_unique<graceful::upgrader>(io,
                                               graceful::options{.control_path = control_path})} {}

websocketpp_upgrade::~websocketpp_upgrade() = default;

void websocketpp_upgrade::replace(boost::asio::ip::tcp::acceptor& acceptor,
                                  const boost::asio::ip::tcp::endpoint& endpoint) {
  acceptor.close();
  up_->listen(acceptor, "websocket", endpoint);
}

void websocketpp_upgrade::ready() { up_->ready(); }

std::uint64_t websocketpp_upgrade::generation() const { return up_->generation(); }

std::shared_ptr<void> websocketpp_upgrade::track(std::function<void()> say_good_bye) {
  const auto on_stage = [say_good_bye = std::move(say_good_bye)](graceful::drain_stage stage) {
    if (stage == graceful::drain_stage::draining) say_good_bye();
  };
  return std::make_shared<graceful::connection>(up_->track(io_.get_executor(), on_stage));
}
