// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
// An echo server on Asio without Boost that can be upgraded. Usage: standalone_asio [ADDRESS]
#include <graceful/native.hpp>

#include <array>
#include <asio.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <utility>

using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket socket) : socket_{std::move(socket)} {}

  void start(graceful::native::upgrader& upgrader) {
    token_ = upgrader.track([weak = weak_from_this()](graceful::drain_stage stage) {
      const auto self = weak.lock();
      if (self && stage != graceful::drain_stage::draining) self->socket_.close();
    });
    read();
  }

 private:
  void read() {
    token_.idle(true);
    socket_.async_read_some(asio::buffer(text_), [self = shared_from_this()](auto ec, auto size) {
      if (!ec) self->write(size);
    });
  }

  void write(std::size_t size) {
    token_.idle(false);
    asio::async_write(socket_, asio::buffer(text_, size),
                      [self = shared_from_this()](auto ec, std::size_t) {
                        if (!ec) self->read();
                      });
  }

  tcp::socket socket_;
  graceful::native::connection token_;
  std::array<char, 4096> text_{};
};

class server {
 public:
  server(asio::io_context& io, graceful::options options, const char* address)
      : acceptor_{io}, upgrader_{std::move(options), hooks_for(io)} {
    auto fd = upgrader_.listen("echo", address,
                               {[this] { resume(); }, [this] { pause(); }, [this] { stop(); }});
    acceptor_.assign(address[0] == '[' ? tcp::v6() : tcp::v4(), fd.release());
    upgrader_.handle_signals();
    upgrader_.ready();
  }

 private:
  static graceful::native::hooks hooks_for(asio::io_context& io) {
    graceful::native::hooks hooks;
    hooks.post = [&io](std::function<void()> task) { asio::post(io, std::move(task)); };
    hooks.on_end = [&io] { io.stop(); };
    return hooks;
  }

  void resume() {
    accepts_ = true;
    if (!waits_) accept();
  }
  void pause() {
    accepts_ = false;
    acceptor_.cancel();
  }
  void stop() {
    accepts_ = false;
    acceptor_.close();
  }

  void accept() {
    waits_ = true;
    acceptor_.async_accept([this](std::error_code ec, tcp::socket socket) {
      waits_ = false;
      if (!ec) std::make_shared<session>(std::move(socket))->start(upgrader_);
      if (accepts_) accept();  // a real server pauses here if no descriptor is left
    });
  }

  tcp::acceptor acceptor_;
  bool accepts_ = false;
  bool waits_ = false;
  graceful::native::upgrader upgrader_;
};

int main(int argc, char** argv) {
  try {
    asio::io_context io;
    const auto stays = asio::make_work_guard(io);
    graceful::options options;
    options.name = "standalone-asio-echo";
    if (const char* path = std::getenv("CONTROL")) options.control_path = path;
    server echo{io, options, argc > 1 ? argv[1] : "127.0.0.1:8080"};
    io.run();
  } catch (const std::exception& e) {
    std::cerr << "standalone_asio: " << e.what() << '\n';
    return 1;
  }
}
