// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A chat: each line goes to everybody in the room, which is the memory of one process. In a drain
// its clients are told, all at once, to connect again.
#include <graceful.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using graceful::drain_stage;
using namespace std::chrono_literals;

class member;
using room = std::set<std::shared_ptr<member>>;

class member : public std::enable_shared_from_this<member> {
 public:
  member(tcp::socket socket, graceful::upgrader& up, room& in)
      : socket_{std::move(socket)},
        room_{in},
        token_{up.track(socket_.get_executor(), [this](drain_stage stage) { on_drain(stage); })} {}

  void enter(const std::string& welcome) {
    room_.insert(shared_from_this());
    say(welcome);
    read();
  }

 private:
  void on_drain(drain_stage stage) {
    if (stage == drain_stage::draining) say("* connect again\n");
    if (stage == drain_stage::deadline) socket_.close();
  }

  /// Also after the farewell: what a client has sent by then is not lost.
  void read() {
    asio::async_read_until(socket_, asio::dynamic_buffer(incoming_, 4096), '\n',
                           [self = shared_from_this()](error_code ec, std::size_t size) {
                             if (ec) return self->leave();
                             self->broadcast(size);
                             self->read();
                           });
  }

  void broadcast(std::size_t size) {
    const auto line = incoming_.substr(0, size);
    incoming_.erase(0, size);
    for (const auto& each : room_) each->say(line);
  }

  void say(const std::string& line) {
    outgoing_.push_back(line);
    if (outgoing_.size() == 1) write();
    if (outgoing_.size() > 1000) socket_.close();  // it does not read
  }

  void write() {
    asio::async_write(socket_, asio::buffer(outgoing_.front()),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (ec) return self->leave();
                        self->outgoing_.pop_front();
                        if (!self->outgoing_.empty()) self->write();
                      });
  }

  void leave() {
    room_.erase(shared_from_this());
    socket_.close();
  }

  tcp::socket socket_;
  room& room_;
  std::string incoming_;
  std::deque<std::string> outgoing_;
  graceful::connection token_;
};

asio::awaitable<void> accept(graceful::acceptor<tcp> acceptor, graceful::upgrader& up, room& in) {
  const auto welcome = "* generation " + std::to_string(up.generation()) + '\n';
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) std::make_shared<member>(std::move(socket), up, in)->enter(welcome);
    if (ec) co_await asio::steady_timer{acceptor.get_executor(), 100ms}.async_wait(asio::deferred);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: chat CONTROL_PATH PORT\n";
    return 2;
  }
  const tcp::endpoint endpoint{tcp::v4(), static_cast<unsigned short>(std::stoi(argv[2]))};
  asio::io_context io;
  room everybody;
  // Nobody stays behind: all are told at once.
  graceful::upgrader up{io, {.control_path = argv[1], .drain_spread = 0ms}};
  const auto acceptor = up.listen<tcp>("chat", endpoint);
  asio::co_spawn(io, accept(acceptor, up, everybody), asio::detached);
  up.ready();
  std::cout << "listening on " << acceptor.local_endpoint() << std::endl;
  io.run();
}
