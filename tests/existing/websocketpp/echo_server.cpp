// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// An echo server with WebSocket++, as its users write them. Its distribution package has no
// examples, so this one is our own; it knows nothing of graceful, and is made upgradable like the
// others.
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

using server = websocketpp::server<websocketpp::config::asio>;

int main() {
  server echo;
  echo.clear_access_channels(websocketpp::log::alevel::all);
  echo.init_asio();
  echo.set_reuse_addr(true);
  echo.set_message_handler([&echo](websocketpp::connection_hdl who, server::message_ptr message) {
    echo.send(who, message->get_payload(), message->get_opcode());
  });
  echo.listen(9002);
  echo.start_accept();
  echo.run();
}
