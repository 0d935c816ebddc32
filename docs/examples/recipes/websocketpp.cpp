// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// An echo server with WebSocket++ 0.8.2. This file is C++17, see websocketpp_upgrade.hpp.
#include "websocketpp_upgrade.hpp"

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

using boost::asio::ip::tcp;
using endpoint_type = websocketpp::server<websocketpp::config::asio>;
using websocketpp::connection_hdl;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: websocketpp CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  boost::asio::io_context io;
  websocketpp_upgrade up{io, argv[1]};
  std::map<connection_hdl, std::shared_ptr<void>, std::owner_less<connection_hdl>> open;

  const auto greeting = "generation " + std::to_string(up.generation()) + ": ";
  endpoint_type echo;
  echo.clear_access_channels(websocketpp::log::alevel::all);
  echo.init_asio(&io);
  echo.set_open_handler([&](connection_hdl peer) {
    open[peer] = up.track([&echo, peer] {
      websocketpp::lib::error_code gone;
      echo.close(peer, websocketpp::close::status::going_away, "connect again", gone);
    });
  });
  echo.set_close_handler([&](connection_hdl peer) { open.erase(peer); });
  echo.set_message_handler([&](connection_hdl peer, endpoint_type::message_ptr message) {
    websocketpp::lib::error_code gone;
    echo.send(peer, greeting + message->get_payload(), message->get_opcode(), gone);
  });

  std::shared_ptr<tcp::acceptor> acceptor;
  echo.set_tcp_pre_bind_handler([&](const std::shared_ptr<tcp::acceptor>& own) {
    acceptor = own;
    return websocketpp::lib::error_code{};
  });
  echo.listen({boost::asio::ip::address_v4::loopback(), 0});  // any port: it only has to succeed
  up.replace(*acceptor, endpoint);                            // what counts takes its place
  up.ready();
  echo.start_accept();
  std::cout << "listening on " << acceptor->local_endpoint() << std::endl;
  echo.run();
}
