// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// shaped_server --control PATH --listen IP:PORT --probation TIME --shape SHAPE [--threads N]
// [--later SHAPE]: an HTTP server whose accept loop has one of the shapes that servers have which
// were written before they could be upgraded. From the second generation on it has the shape of
// --later.
#include <graceful/duration_text.hpp>
#include <graceful/upgrader.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::error_code;

namespace {

void say(const std::string& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
}

void complain(const std::string& what) { std::fprintf(stderr, "shaped: %s\n", what.c_str()); }

struct arguments {
  std::string control;
  tcp::endpoint endpoint;
  std::chrono::milliseconds probation{0};
  std::size_t threads = 1;
  std::string shape;
  std::string later;
};

std::string served_by;  // a line of every response

/// A client asks for the end of its connection with the same line as the response has.
constexpr std::string_view close_line = "Connection: close\r\n";

std::string response_to(std::string_view request) {
  const bool last = request.find(close_line) != request.npos;
  return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + served_by +
         std::string{last ? close_line : std::string_view{}} + "\r\n";
}

/// Serves requests one after the other, until the client has gone.
class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket socket) : socket_{std::move(socket)} {}

  void next() {
    asio::async_read_until(socket_, asio::dynamic_buffer(request_), "\r\n\r\n",
                           [self = shared_from_this()](error_code ec, std::size_t length) {
                             if (!ec) self->answer(length);
                           });
  }

 private:
  void answer(std::size_t length) {
    response_ = response_to(std::string_view{request_}.substr(0, length));
    request_.erase(0, length);
    asio::async_write(socket_, asio::buffer(response_),
                      [self = shared_from_this()](error_code ec, std::size_t) {
                        if (!ec && self->response_.find(close_line) == std::string::npos) {
                          self->next();
                        }
                      });
  }

  tcp::socket socket_;
  std::string request_;
  std::string response_;
};

void serve(tcp::socket socket) { std::make_shared<session>(std::move(socket))->next(); }

/// Runs on its own thread.
void serve_blocking(tcp::socket socket) {
  error_code ec;
  std::string request;
  for (;;) {
    const auto length = asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", ec);
    if (ec) return;
    const auto response = response_to(std::string_view{request}.substr(0, length));
    request.erase(0, length);
    asio::write(socket, asio::buffer(response), ec);
    if (ec || response.find(close_line) != std::string::npos) return;
  }
}

class server {
 public:
  server(asio::io_context& io, graceful::upgrader& up, const arguments& all)
      : io_{io}, up_{up}, arguments_{all}, acceptor_{io}, signals_{io} {}

  /// Called before ready().
  void listen(const std::string& shape) {
    if (shape == "closes" || shape == "signals") signals_.add(SIGHUP);
    if (shape.starts_with("late") || shape == "nothing") return;
    if (shape == "moved") {
      std::vector<tcp::acceptor> growing;
      growing.emplace_back(io_);
      up_.listen(growing.back(), "http", arguments_.endpoint);
      for (int i = 0; i < 64; ++i) growing.emplace_back(io_);
      acceptor_ = std::move(growing.front());
    } else {
      up_.listen(acceptor_, "http", arguments_.endpoint);
    }
    say_where(acceptor_.local_endpoint());
    if (shape == "hangs") asio::post(io_, [] { std::promise<void>{}.get_future().wait(); });
  }

  /// Called after ready(). Returns when the server has ended.
  void run(const std::string& shape) {
    const std::map<std::string, std::function<void()>, std::less<>> loops{
        {"ends", [this] { accept_ends(); }},
        {"open", [this] { accept_while_open(); }},
        {"moved", [this] { accept_while_open(); }},
        {"rearm", [this] { accept_again_and_again(); }},
        {"throws", [this] { accept_or_throw(); }},
        {"signals", [this] { wait_for_signals(), accept_while_open(); }},
        {"coroutine", [this] { asio::co_spawn(io_, accept_in_coroutine(), asio::detached); }},
        {"coroutine-rearm",
         [this] { asio::co_spawn(io_, accept_all_in_coroutine(), asio::detached); }},
        {"late", [this] { asio::co_spawn(io_, listen_late(), asio::detached); }},
        {"late-plain", [this] { asio::co_spawn(io_, listen_late_plain(), asio::detached); }},
        {"nothing", [] {}},
        {"closes", [this] { accept_while_open(), close_on_signal(); }},
        {"hangs", [this] { accept_after_all(); }},
    };
    if (shape == "blocks") return accept_blocking();
    loops.at(shape)();
    run_context();
  }

 private:
  static void say_where(const tcp::endpoint& at) {
    say("listening on " + at.address().to_string() + ":" + std::to_string(at.port()));
  }

  void run_context() {
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < arguments_.threads; ++i) {
      others.emplace_back([this] { run_one_thread(); });
    }
    run_one_thread();
    for (auto& other : others) other.join();
  }

  void run_one_thread() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& e) {
        complain(std::string{"thrown: "} + e.what());
      }
    }
  }

  void accept_ends() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (ec) return complain("accept: " + ec.message());
      serve(std::move(socket));
      accept_ends();
    });
  }

  /// The loop of Asio's own HTTP servers.
  void accept_while_open() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (!ec) serve(std::move(socket));
      if (ec) complain("accept: " + ec.message());
      accept_while_open();
    });
  }

  /// The loop of Beast's advanced server.
  void accept_again_and_again() {
    acceptor_.async_accept(asio::make_strand(io_), [this](error_code ec, tcp::socket socket) {
      if (ec) {
        complain("accept: " + ec.message());
      } else {
        serve(std::move(socket));
      }
      accept_again_and_again();
    });
  }

  void accept_or_throw() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (ec) throw boost::system::system_error{ec, "accept"};
      serve(std::move(socket));
      accept_or_throw();
    });
  }

  void accept_blocking() {
    try {
      for (;;) std::thread{serve_blocking, acceptor_.accept()}.detach();
    } catch (const std::exception& e) {
      complain(std::string{"accept: "} + e.what());
    }
  }

  asio::awaitable<void> accept_in_coroutine() {
    for (;;) serve(co_await acceptor_.async_accept(asio::use_awaitable));
  }

  asio::awaitable<void> accept_all_in_coroutine() {
    for (;;) {
      auto [ec, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (ec) {
        complain("accept: " + ec.message());
      } else {
        serve(std::move(socket));
      }
    }
  }

  asio::awaitable<void> listen_late() {
    auto acceptor = up_.listen<tcp>("http", arguments_.endpoint);
    say_where(acceptor.local_endpoint());
    for (;;) serve(co_await acceptor.async_accept(asio::use_awaitable));
  }

  asio::awaitable<void> listen_late_plain() {
    tcp::acceptor acceptor{co_await asio::this_coro::executor};
    up_.listen(acceptor, "http", arguments_.endpoint);
    say_where(acceptor.local_endpoint());
    for (;;) serve(co_await acceptor.async_accept(asio::use_awaitable));
  }

  void accept_after_all() {
    asio::post(io_, [this] { accept_while_open(); });
  }

  /// Stops everything after any event, as many examples do.
  void wait_for_signals() {
    signals_.async_wait([this](error_code, int) { io_.stop(); });
  }

  void close_on_signal() {
    signals_.async_wait([this](error_code, int) {
      acceptor_.close();
      say("closed");
    });
  }

  asio::io_context& io_;
  graceful::upgrader& up_;
  const arguments& arguments_;
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
};

void run(const arguments& all) {
  asio::io_context io;
  graceful::upgrader up{io,
                        {.name = "shaped",
                         .control_path = all.control,
                         .probation = all.probation,
                         .confirm_timeout = std::chrono::seconds{4}}};
  const auto& shape = up.generation() > 1 && !all.later.empty() ? all.later : all.shape;
  served_by = "X-Served-By: gen-" + std::to_string(up.generation()) + "-pid-" +
              std::to_string(::getpid()) + "\r\n";
  up.async_wait_commit([](error_code ec) { say("commit: " + ec.message()); });
  server s{io, up, all};
  s.listen(shape);
  up.handle_signals();
  up.ready();
  say("ready: generation " + std::to_string(up.generation()) + " pid " +
      std::to_string(::getpid()));
  s.run(shape);
  say("ended: generation " + std::to_string(up.generation()));
}

arguments parse(int argc, char** argv) {
  arguments all;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option{argv[i]};
    const std::string value{argv[i + 1]};
    if (option == "--control") all.control = value;
    if (option == "--probation") all.probation = graceful::parse_duration(value).value();
    if (option == "--threads") all.threads = std::stoul(value);
    if (option == "--shape") all.shape = value;
    if (option == "--later") all.later = value;
    if (option == "--listen") {
      const auto colon = value.rfind(':');
      all.endpoint = {asio::ip::make_address(value.substr(0, colon)),
                      static_cast<unsigned short>(std::stoi(value.substr(colon + 1)))};
    }
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
  } catch (const std::exception& e) {
    complain(e.what());
    return 1;
  }
}
