// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/acceptor.hpp>
#include <graceful/listen_params.hpp>

#include "listen/inventory.hpp"
#include "listen/listener.hpp"

#include "log_book.hpp"
#include "tcp_sockets.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graceful_test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

/// A listening socket with an acceptor on it, as an upgrader makes them.
struct listening {
  explicit listening(asio::any_io_executor executor, std::string name = "web",
                     const graceful::listen_params& params = {})
      : socket{home->obtain(name, v4("127.0.0.1"), params, {}).value()},
        body{std::make_shared<graceful::detail::listener>(std::move(executor), socket, home)},
        acceptor{body, tcp::v4()} {
    home->attach(name, body);
    keep_address = socket->address;
    socket.reset();
  }
  ~listening() { home->stop(); }

  [[nodiscard]] graceful::unique_fd connect() const { return connect_to(keep_address); }

  /// Another holder of the socket, like a successor.
  [[nodiscard]] graceful::unique_fd duplicate() const {
    return graceful::unique_fd{::fcntl(body->socket()->fd.get(), F_DUPFD_CLOEXEC, 3)};
  }

  [[nodiscard]] std::uint64_t queue() const {
    return graceful::os::accept_queue_of(body->socket()->fd.get()).length;
  }

  /// Waits until `count` connections are in the accept queue.
  [[nodiscard]] bool wait_for_queue(std::uint64_t count) const {
    return eventually([&] { return queue() == count; });
  }

  log_book book;
  std::shared_ptr<graceful::inventory> home = std::make_shared<graceful::inventory>(book.log);
  graceful::shared_socket socket;
  std::shared_ptr<graceful::detail::listener> body;
  graceful::acceptor<tcp> acceptor;
  graceful::os::socket_address keep_address;
};

/// Runs handlers until there are none left, or nothing happens for a while.
inline void run_for(asio::io_context& context, std::chrono::milliseconds limit) {
  context.restart();
  context.run_for(limit);
}

/// Runs the context until the predicate is true.
template <class Predicate>
bool run_until(asio::io_context& context, Predicate predicate,
               deadline until = std::chrono::seconds{10}) {
  context.restart();
  while (!predicate()) {
    if (until.passed()) return false;
    context.run_one_for(std::chrono::milliseconds{10});
    if (context.stopped()) context.restart();
  }
  return true;
}

struct own_context {
  asio::io_context context;
};

/// The same on a context that the test runs; this process accepts there.
struct open_web : own_context, listening {
  open_web() : listening{context.get_executor()} { home->open(); }

  template <class Predicate>
  bool run_until(Predicate predicate) {
    return graceful_test::run_until(context, predicate);
  }
};

}  // namespace graceful_test
