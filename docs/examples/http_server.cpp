// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// An HTTP server that can be upgraded: several listeners, several threads, keep-alive. What it
// takes is in serve(), below, and in the session: listen through an upgrader, call ready(), and
// have each connection tracked.
#include <graceful.hpp>

#include "http_server_arguments.hpp"
#include "http_session.hpp"

#include <boost/asio.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <exception>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;
using graceful::error_code;

namespace {

constexpr std::chrono::milliseconds pause_after_error{100};

void complain(const std::string& what) { std::fprintf(stderr, "http_server: %s\n", what.c_str()); }

asio::awaitable<void> accept_all(graceful::acceptor<tcp> acceptor,
                                 std::shared_ptr<http_service> service) {
  for (;;) {
    asio::any_io_executor strand = asio::make_strand(acceptor.get_executor());
    auto [ec, socket] = co_await acceptor.async_accept(strand, asio::as_tuple(asio::use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;  // somebody else accepts from now on
    if (!ec) {
      service->serve(std::move(socket));
      continue;
    }
    // EMFILE, for instance: the connection waits in the queue until something has been closed.
    complain("accept: " + ec.message());
    asio::steady_timer pause{acceptor.get_executor(), pause_after_error};
    co_await pause.async_wait(asio::use_awaitable);
  }
}

/// The accept loop of a server from before it was made upgradable: callbacks, an acceptor of its
/// own, no strand. Only listen() is new.
class plain_accept_loop {
 public:
  plain_accept_loop(asio::io_context& io, std::shared_ptr<http_service> service)
      : acceptor_{io}, pause_{io}, service_{std::move(service)} {}

  void listen(graceful::upgrader& up, const std::string& name, const tcp::endpoint& endpoint) {
    up.listen(acceptor_, name, endpoint);  // in the place of open, bind and listen
  }

  void accept_next() {
    acceptor_.async_accept(asio::make_strand(acceptor_.get_executor()),
                           [this](error_code ec, tcp::socket socket) {
                             if (ec == asio::error::operation_aborted) return;
                             if (!acceptor_.is_open()) return;
                             if (ec) return wait_after(ec);
                             service_->serve(std::move(socket));
                             accept_next();
                           });
  }

  [[nodiscard]] tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

 private:
  /// What is wrong may stay so for a while.
  void wait_after(error_code ec) {
    complain("accept: " + ec.message());
    pause_.expires_after(pause_after_error);
    pause_.async_wait([this](error_code) { accept_next(); });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::shared_ptr<http_service> service_;
};

/// Runs `io` in this thread and others. What a handler throws ends all of them, and is thrown here.
void run(asio::io_context& io, int threads) {
  std::vector<std::future<void>> others;
  try {
    for (int i = 1; i < threads; ++i) {
      others.push_back(std::async(std::launch::async, [&io] {
        try {
          io.run();
        } catch (...) {
          io.stop();
          throw;
        }
      }));
    }
    io.run();
  } catch (...) {
    io.stop();
    throw;
  }
  for (auto& other : others) other.get();
}

void serve(const http_server_arguments& args) {
  asio::io_context io;
  graceful::upgrader up{io,
                        {.name = args.name,
                         .control_path = args.control,
                         .takeover = args.takeover,
                         .ready_timeout = args.ready_timeout,
                         .probation = args.probation,
                         .handoff_timeout = args.handoff_timeout,
                         .drain_timeout = args.drain,
                         .idle_grace = args.idle_grace,
                         .max_draining = args.max_draining}};
  up.handle_signals();  // SIGTERM drains
  const auto service = std::make_shared<http_service>(
      up, http_settings{.body = args.banner + '\n',
                        .served_by = "gen-" + std::to_string(up.generation()) + "-pid-" +
                                     std::to_string(::getpid()),
                        .work = args.work});

  std::deque<plain_accept_loop> plain;  // a deque, because an acceptor must not be moved
  std::vector<tcp::endpoint> bound;
  for (const tcp::endpoint& endpoint : args.listen) {
    const std::string name = bound.empty() ? "http" : "http" + std::to_string(bound.size() + 1);
    if (args.plain_acceptor) {
      plain.emplace_back(io, service).listen(up, name, endpoint);
      bound.push_back(plain.back().local_endpoint());
    } else {
      auto acceptor = up.listen<tcp>(name, endpoint);
      bound.push_back(acceptor.local_endpoint());
      asio::co_spawn(io, accept_all(std::move(acceptor), service), asio::detached);
    }
  }

  up.ready();  // the predecessor, if there is one, stops accepting; the acceptors start
  for (auto& loop : plain) loop.accept_next();

  for (const tcp::endpoint& endpoint : bound) std::cout << "listening on " << endpoint << '\n';
  std::cout << "ready: generation " << up.generation() << " pid " << ::getpid() << std::endl;

  run(io, args.threads);  // returns when this process has drained
}

}  // namespace

int main(int argc, char** argv) {
  // Standard output is inherited from the predecessor; whoever read it may have gone.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const http_server_arguments args = parse_http_server_arguments(argc, argv);
    if (args.help) {
      std::cout << http_server_help();
      return 0;
    }
    serve(args);
    return 0;
  } catch (const usage_error& e) {
    complain(std::string{e.what()} + "; see http_server --help");
    return 2;
  } catch (const std::exception& e) {
    complain(e.what());
    return 1;
  }
}
