// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// An Asio server as it is: a tcp::acceptor, callbacks, sessions that know nothing of upgrades. It
// answers each line by that line.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, std::string greeting)
      : socket_{std::move(socket)}, greeting_{std::move(greeting)} {}

  void read() {
    asio::async_read_until(socket_, asio::dynamic_buffer(line_, 4096), '\n',
                           [self = shared_from_this()](error_code ec, std::size_t size) {
                             if (!ec) self->answer(size);
                           });
  }

 private:
  void answer(std::size_t size) {
    reply_ = greeting_ + line_.substr(0, size);
    line_.erase(0, size);
    asio::async_write(socket_, asio::buffer(reply_),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec) self->read();
                      });
  }

  tcp::socket socket_;
  const std::string greeting_;
  std::string line_;
  std::string reply_;
};

void accept(tcp::acceptor& acceptor, const std::string& greeting) {
  acceptor.async_accept([&](error_code ec, tcp::socket socket) {
    if (!ec) std::make_shared<session>(std::move(socket), greeting)->read();
    accept(acceptor, greeting);
  });
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: asio_loop CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  asio::io_context io;
  graceful::upgrader up{io, {.control_path = argv[1]}};
  tcp::acceptor acceptor{io};
  up.listen(acceptor, "echo", endpoint);  // in the place of open, bind and listen
  up.ready();                             // before the first async_accept
  std::cout << "listening on " << acceptor.local_endpoint() << std::endl;

  const auto greeting = "generation " + std::to_string(up.generation()) + ": ";
  accept(acceptor, greeting);
  io.run();
}
