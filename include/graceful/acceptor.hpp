// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_ACCEPTOR_HPP
#define GRACEFUL_ACCEPTOR_HPP

#include <graceful/detail/listener.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace graceful {

/// A listening socket that takes part in upgrades; made by `upgrader::listen`.
///
/// It accepts from `upgrader::ready()` until a successor has taken over, or until `close()`. An
/// `async_accept` that starts earlier waits. When a successor is committed, the operations that
/// wait end with `asio::error::operation_aborted`, and so does every later one: the usual accept
/// loop ends by itself. No connection is lost by that: one is taken from the kernel's queue only in
/// order to be handed to an operation, and what is not taken stays there for the successor.
///
/// Every accepted socket is close-on-exec and non-blocking from the start (accept4(2)).
///
/// **Object lifetimes.** A handle: copies refer to the same socket, which lives until it is handed
/// over, closed, or the upgrader is destroyed. The execution context must outlive the upgrader.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe for all member functions but
/// assignment; no strand is needed.
template <class Protocol>
class acceptor {
  static_assert(std::is_same_v<Protocol, boost::asio::ip::tcp>,
                "graceful hands over TCP listeners (IPv4 and IPv6)");

 public:
  using protocol_type = Protocol;
  using endpoint_type = typename Protocol::endpoint;
  using executor_type = boost::asio::any_io_executor;
  using socket_type = boost::asio::basic_stream_socket<Protocol, executor_type>;

  /// For `upgrader::listen` only.
  acceptor(std::shared_ptr<detail::listener> body, Protocol protocol) noexcept
      : body_{std::move(body)}, protocol_{protocol} {}

  /// Accepts one connection into a new socket on this acceptor's executor.
  ///
  /// **Handler signature.** `void(error_code, socket_type)`.
  ///
  /// **Executor, allocator.** The handler's associated ones are honoured; the default executor is
  /// this acceptor's. The handler is never called from within this function.
  ///
  /// **Per-operation cancellation.** Terminal, partial and total: each ends the operation with
  /// `operation_aborted`, and none loses a connection.
  ///
  /// **Errors.** `operation_aborted` when this process stopped to accept, `cancel()` or `close()`
  /// was called, or the operation was cancelled: end the loop. Otherwise those of accept(2),
  /// `no_descriptors` (EMFILE) among them: the acceptor goes on. Pause before the next
  /// `async_accept` then, or the loop spins: the connection stays in the queue meanwhile.
  template <class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_accept(Token&& token = Token{}) {
    return async_accept(get_executor(), std::forward<Token>(token));
  }

  /// The same, into a socket on `executor`.
  template <class Executor, class Token = boost::asio::default_completion_token_t<executor_type>>
  requires(boost::asio::execution::is_executor<Executor>::value) auto async_accept(
      const Executor& executor, Token&& token = Token{}) {
    using socket = boost::asio::basic_stream_socket<Protocol, Executor>;
    return boost::asio::async_initiate<Token, void(error_code, socket)>(
        [](auto handler, const std::shared_ptr<detail::listener>& body, Executor ex,
           Protocol protocol) {
          using wrapper = detail::make_socket<decltype(handler), socket, Protocol>;
          detail::async_accept(body, wrapper{std::move(handler), std::move(ex), protocol});
        },
        token, body_, executor, protocol_);
  }

  /// The same, into a socket on the executor of `context`.
  template <class Context, class Token = boost::asio::default_completion_token_t<executor_type>>
  requires(std::is_convertible_v<Context&, boost::asio::execution_context&>) auto async_accept(
      Context& context, Token&& token = Token{}) {
    return async_accept(context.get_executor(), std::forward<Token>(token));
  }

  /// The same, into `socket`, which must not be open and must live until the handler is called.
  ///
  /// **Handler signature.** `void(error_code)`.
  template <class Executor, class Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_accept(boost::asio::basic_stream_socket<Protocol, Executor>& socket,
                    Token&& token = Token{}) {
    using socket_t = boost::asio::basic_stream_socket<Protocol, Executor>;
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, const std::shared_ptr<detail::listener>& body, socket_t* peer,
           Protocol protocol) {
          using wrapper = detail::fill_socket<decltype(handler), socket_t, Protocol>;
          detail::async_accept(body, wrapper{std::move(handler), *peer, protocol});
        },
        token, body_, &socket, protocol_);
  }

  /// The address the socket is bound to, with the real port where port 0 was asked for. A
  /// default-constructed endpoint once the socket is handed over or closed.
  [[nodiscard]] endpoint_type local_endpoint() const {
    endpoint_type endpoint;
    auto length = static_cast<socklen_t>(endpoint.capacity());
    detail::local_address(*body_, endpoint.data(), length);
    if (length == 0) return {};
    endpoint.resize(length);
    return endpoint;
  }

  /// The name it was made with.
  [[nodiscard]] std::string name() const { return detail::name_of(*body_); }

  [[nodiscard]] executor_type get_executor() const { return detail::executor_of(*body_); }

  /// False once the socket is handed over or closed; and in a group as long as the socket does not
  /// listen yet, see `upgrader::listen_group`.
  [[nodiscard]] bool is_open() const { return detail::is_open(*body_); }

  /// Ends the operations that wait, with `operation_aborted`. The acceptor stays usable.
  void cancel() { detail::cancel(*body_); }

  /// Stops listening for good: the socket is closed, and no successor gets it unless its upgrade
  /// has begun. What waits in the accept queue is reset by the kernel when the last holder closes,
  /// see listen(2).
  void close() { detail::close(*body_); }

 private:
  std::shared_ptr<detail::listener> body_;
  Protocol protocol_;
};

}  // namespace graceful

#endif
