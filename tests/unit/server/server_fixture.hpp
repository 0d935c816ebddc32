// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/server.hpp>

#include "patience.hpp"
#include "tcp_sockets.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <unistd.h>

namespace graceful_test {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

/// What the sessions of a server share.
struct shared {
  explicit shared(char first = 'a') : letter{first} {}

  void meet() {
    const std::lock_guard lock{mutex};
    threads.insert(std::this_thread::get_id());
  }

  const char letter;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> sessions{0};
  std::optional<std::string> looks_for{};
  bool drains = false;
  std::optional<bool> upgrader_lives{};
};

/// Sends one letter, and waits until its peer goes. Does not track its connection.
class greeter : public std::enable_shared_from_this<greeter> {
 public:
  greeter(tcp::socket socket, shared& vars) : socket_{std::move(socket)}, vars_{vars} {
    ++vars_.sessions;
  }
  ~greeter() { --vars_.sessions; }

  void start() {
    vars_.meet();
    asio::async_write(socket_, asio::buffer(&vars_.letter, 1),
                      [self = shared_from_this()](auto, auto) { self->wait(); });
  }

 private:
  void wait() {
    asio::async_read(socket_, asio::buffer(&byte_, 1),
                     [self = shared_from_this()](auto, auto) { self->vars_.meet(); });
  }

  tcp::socket socket_;
  shared& vars_;
  char byte_ = 0;
};

template <class Session>
struct server_fixture {
  explicit server_fixture(graceful::server_params params, graceful::options opts = {})
      : server{with(std::move(opts)), with(std::move(params)), 'q'} {}
  ~server_fixture() {
    server.exit();
    if (ended.valid()) ended.wait();
  }

  graceful::options with(graceful::options opts) {
    opts.control_path = directory.path("c.sock");
    opts.log = [this](graceful::log_level, std::string_view text) {
      const std::lock_guard lock{mutex};
      said += std::string{text} + '\n';
    };
    return opts;
  }
  graceful::server_params with(graceful::server_params params) {
    params.handle_signals = false;
    params.on_ready = [this](graceful::upgrader&, const tcp::endpoint& at) { bound.set_value(at); };
    return params;
  }

  /// Runs in its own thread; returns when the server serves.
  void start() {
    ended =
        std::async(std::launch::async, [this] { return server.listen_and_serve("127.0.0.1", 0); });
    auto at = bound.get_future();
    REQUIRE(at.wait_for(patience) == std::future_status::ready);
    port = at.get().port();
  }

  [[nodiscard]] graceful::unique_fd connect() const { return connect_to(v4("127.0.0.1", port)); }

  int result() {
    REQUIRE(ended.wait_for(patience) == std::future_status::ready);
    return ended.get();
  }

  bool has_said(std::string_view text) {
    const std::lock_guard lock{mutex};
    return said.find(text) != std::string::npos;
  }

  temporary_directory directory;
  std::mutex mutex;
  std::string said;
  std::promise<tcp::endpoint> bound;
  graceful::server<Session, shared> server;
  std::future<int> ended;
  unsigned short port = 0;
};

/// The first byte that the server sends; 0 if it closes instead.
inline char greeting(const graceful::unique_fd& client) {
  char letter = 0;
  return ::read(client.get(), &letter, 1) == 1 ? letter : '\0';
}

}  // namespace graceful_test
