// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
// An HTTP server on cpp-httplib, whose threads block in accept(2), that can be upgraded.
// Usage: httplib [ADDRESS]
#include <graceful/native.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>

#include <httplib.h>

/// Accepts from a socket that it has not bound itself.
class server : public httplib::Server {
 public:
  void serve(int listener) {
    svr_sock_ = listener;
    listen_after_bind();  // closes it at the end
  }
};

int main(int argc, char** argv) {
  try {
    graceful::options options;
    options.name = "httplib";
    if (const char* path = std::getenv("CONTROL")) options.control_path = path;
    graceful::native::upgrader upgrader{options};
    graceful::listen_params params;
    params.blocking = true;
    // Without hooks: when another process serves, accept(2) fails, and that ends the server.
    auto listener = upgrader.listen("http", argc > 1 ? argv[1] : "127.0.0.1:8080", {}, params);
    server web;
    web.Get("/", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content("hello\n", "text/plain");
    });
    web.set_post_routing_handler([&](const httplib::Request&, httplib::Response& reply) {
      if (upgrader.draining()) reply.set_header("Connection", "close");
    });
    upgrader.handle_signals();
    upgrader.ready();
    web.serve(listener.release());
  } catch (const std::exception& e) {
    std::cerr << "httplib: " << e.what() << '\n';
    return 1;
  }
}
