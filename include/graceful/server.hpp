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

/// The parameters of a `server`.
struct server_params {
  /// The number of threads, each with an `io_context`. Default: one for each processor that this
  /// process may use.
  std::optional<std::size_t> threads{};

  /// How its socket is made. With `reuse_port` each thread has a socket of its own, and serves what
  /// that accepts, see `upgrader::listen_group`. Without it, one socket accepts, and its
  /// connections go to the threads in turn.
  listen_params listen{};

  /// The name of the socket in `graceful-ctl status` and in the log. Default: "server".
  std::string listener = "server";

  /// Whether to call `upgrader::handle_signals`. Default: true.
  bool handle_signals = true;

  /// Called by `listen_and_serve`, on its thread, when this process serves. The endpoint is the
  /// address it listens on, with the real port if 0 was asked for. An exception ends the server.
  /// Default: nothing.
  std::function<void(upgrader&, const boost::asio::ip::tcp::endpoint&)> on_ready{};
};

namespace detail {

/// The part of `server` that does not depend on the kind of session.
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
/// the accept loops.
///
/// `Session` serves one connection. `std::make_shared` makes it from the socket and the `Vars` that
/// all sessions share. If its constructor takes three arguments, it also gets the `upgrader&`, for
/// `upgrader::track` with the executor of the socket. Then its `start()` is called. The session
/// lives as long as its handlers hold it. All this happens on the thread to whose context its
/// socket belongs; a session that uses only its own members needs no strand. All threads use
/// `Vars`: parts of it that change need a mutex, or are atomic.
///
/// If the constructor of a session or `start()` throws a `std::exception`, that is logged, and the
/// connection is closed. An exception that a handler throws later ends the server.
///
/// **Object lifetimes.** Sessions, and after them the upgrader, end before `listen_and_serve`
/// returns.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe, but only one thread at a time
/// calls `listen_and_serve`.
template <class Session, class Vars>
class server {
 public:
  /// Only stores the parameters. The `Vars` are constructed from the arguments after them.
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
  /// Then it returns 0, even if a signal tells it to end before it has started. It throws nothing:
  /// if the server cannot start or fails, it logs what happened and what to do, and returns 1. That
  /// may be a bad address or number of threads, an address that is in use or not permitted, a
  /// control path that is another server's, or an exception from a handler. `main` can return the
  /// result.
  int listen_and_serve(std::string_view address, std::uint16_t port) {
    return body_.listen_and_serve(address, port);
  }

  /// Ends the server without a successor, gracefully, see `upgrader::drain`: during probation the
  /// successor stays. Returns at once. Before `listen_and_serve` it is remembered: the server ends
  /// as soon as it has started.
  void drain() { body_.drain(); }

  /// The same, but cuts the connections: the deadline of the drain is now. Work that has not ended
  /// two seconds later is stopped, on all threads.
  void exit() { body_.exit(); }

  /// The variables that all sessions share.
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
