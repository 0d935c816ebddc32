// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A framework that binds by itself, and calls a hook after that.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <cstddef>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Stands for one that is not ours to change: it answers lines.
namespace framework {

using responder = std::function<std::string(const std::string&)>;

struct session : std::enable_shared_from_this<session> {
  session(tcp::socket s, const responder& r) : socket{std::move(s)}, respond{r} {}

  void read() {
    asio::async_read_until(socket, asio::dynamic_buffer(line, 4096), '\n',
                           [self = shared_from_this()](error_code ec, std::size_t size) {
                             if (!ec) self->answer(size);
                           });
  }
  void answer(std::size_t size) {
    reply = respond(line.substr(0, size));
    line.erase(0, size);
    asio::async_write(socket, asio::buffer(reply),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec) self->read();
                      });
  }

  tcp::socket socket;
  const responder& respond;
  std::string line, reply;
};

class server {
 public:
  server(asio::io_context& io, responder respond) : acceptor_{io}, respond_{std::move(respond)} {}

  void run(const tcp::endpoint& endpoint, const std::function<void(tcp::acceptor&)>& after_bind) {
    acceptor_ = tcp::acceptor{acceptor_.get_executor(), endpoint};
    after_bind(acceptor_);
    accept();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (!ec) std::make_shared<session>(std::move(socket), respond_)->read();
      accept();
    });
  }

  tcp::acceptor acceptor_;
  const responder respond_;
};

}  // namespace framework

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: framework CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = argv[1]}};
  framework::server server{io, [&up](const std::string& line) {
                             return "generation " + std::to_string(up.generation()) + ": " + line;
                           }};
  // The port that counts is in use, by the predecessor; any other is free.
  server.run({asio::ip::address_v4::loopback(), 0}, [&](tcp::acceptor& acceptor) {
    acceptor.close();
    up.listen(acceptor, "lines", endpoint);
    up.ready();
    std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
  });
  io.run();
}
