// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SERVER_HPP
#define GRACEFUL_SERVER_HPP

#include <graceful/detail/api.hpp>
#include <graceful/detail/asio_abi.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>
#include <graceful/upgrader.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace graceful {

/// How a `server` serves.
struct server_params {
  /// How many threads, each with an `io_context`. Default: one for each processor that this process
  /// may use.
  std::optional<std::size_t> threads{};

  /// How its socket is made. With `reuse_port` each thread has one of its own, and serves what that
  /// accepts, see `upgrader::listen_group`; without, what one socket accepts goes to the threads in
  /// turn.
  listen_params listen{};

  /// What the socket is called in `graceful-ctl status` and in the log. Default: "server".
  std::string listener = "server";

  /// Whether signals do what operators expect, see `upgrader::handle_signals`. Default: true.
  bool handle_signals = true;

  /// Called by `listen_and_serve`, on its thread, when this process serves; with the address it
  /// listens on, and the real port where 0 was asked for. What it throws ends the server. Default:
  /// nothing.
  std::function<void(upgrader&, const boost::asio::ip::tcp::endpoint&)> on_ready{};
};

namespace detail {

/// What of `server` does not depend on the kind of session.
class GRACEFUL_API server_body {
 public:
  using session_starter = std::function<void(boost::asio::ip::tcp::socket, upgrader&)>;

  server_body(this_asio_abi, options opts, server_params params, session_starter start);
  server_body(const server_body&) = delete;
  server_body& operator=(const server_body&) = delete;
  ~server_body();

  int listen_and_serve(std::string_view address, std::uint16_t port);
  void drain();
  void exit();

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace detail

/// A TCP server that can be upgraded, on several threads: an `io_context_pool`, an `upgrader`, and
/// the loops that accept.
///
/// `Session` serves one connection. It is made by `std::make_shared`, from the socket and the
/// `Vars` that all sessions share, and from the `upgrader&` as well if its constructor takes three:
/// for `upgrader::track`, with the executor of the socket. Then its `start()` is called. It lives
/// as long as its handlers hold it. All this happens on the thread to whose context its socket
/// belongs; a session that uses nothing but its own needs no strand. `Vars` are used by all
/// threads: what changes in them needs a mutex, or is atomic.
///
/// If the constructor of a session or `start()` throws a `std::exception`, that is logged, and
/// the connection is closed. What a handler throws later ends the server.
///
/// **Object lifetimes.** Sessions, and after them the upgrader, end before `listen_and_serve`
/// returns.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe, but `listen_and_serve` is
/// called by one thread at a time.
template <class Session, class Vars>
class server {
 public:
  /// Does nothing yet. The `Vars` are made of what follows the parameters.
  template <class... Args>
  explicit server(options opts, server_params params = {}, Args&&... vars)
      : vars_(std::forward<Args>(vars)...),
        body_{detail::this_asio_abi{}, std::move(opts), std::move(params),
              [this](boost::asio::ip::tcp::socket socket, upgrader& up) {
                make(std::move(socket), up)->start();
              }} {}

  /// Listens and serves until this process has drained: because a successor has taken over, or by
  /// `drain()`, `exit()`, `graceful-ctl drain` or a signal. `address` is numeric, IPv4 or IPv6:
  /// "127.0.0.1", "0.0.0.0" or "::" for every interface. With port 0 the system chooses one.
  ///
  /// Returns 0 then; also if a signal tells it to end before it has started. Throws nothing: if the
  /// server cannot start or fails, because of a bad address or number of threads, an address that
  /// is in use or not permitted, a control path that is another server's, or something that a
  /// handler has thrown, it logs what happened and what to do, and returns 1. `main` can return
  /// that.
  int listen_and_serve(std::string_view address, std::uint16_t port) {
    return body_.listen_and_serve(address, port);
  }

  /// Ends it without a successor, gracefully, see `upgrader::drain`: in a probation the successor
  /// stays. Returns at once. Before `listen_and_serve` it is remembered: the server ends as soon as
  /// it has started.
  void drain() { body_.drain(); }

  /// The same, but cuts the connections: the deadline of the drain is now. What has not ended two
  /// seconds later is stopped, on all threads.
  void exit() { body_.exit(); }

  /// What all sessions share.
  [[nodiscard]] Vars& vars() noexcept { return vars_; }

 private:
  std::shared_ptr<Session> make(boost::asio::ip::tcp::socket socket, upgrader& up) {
    using tcp_socket = boost::asio::ip::tcp::socket;
    if constexpr (std::is_constructible_v<Session, tcp_socket, Vars&, upgrader&>) {
      return std::make_shared<Session>(std::move(socket), vars_, up);
    } else {
      return std::make_shared<Session>(std::move(socket), vars_);
    }
  }

  Vars vars_;
  detail::server_body body_;
};

}  // namespace graceful

#endif
