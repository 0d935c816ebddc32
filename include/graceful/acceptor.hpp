// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_ACCEPTOR_HPP
#define GRACEFUL_ACCEPTOR_HPP

#include <graceful/detail/listener.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/basic_socket.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/system_error.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace graceful {

class upgrader;

/// A listening socket that takes part in upgrades. Otherwise it is like
/// `boost::asio::basic_socket_acceptor`, and used in the same way. It is closed until
/// `upgrader::listen` opens it, in the place of `open`, `bind` and `listen`.
///
/// It accepts from `upgrader::ready()` until a successor has taken over, or until `close()`. An
/// operation that starts earlier waits. When a successor is committed, waiting operations end with
/// `asio::error::operation_aborted`, and so does every later one: the usual accept loop ends by
/// itself. A loop that goes on after any error is ended after a thousand of them: its handler is
/// destroyed and not called; a thread that blocks stays blocked. No connection is lost by that: a
/// connection is taken from the kernel's queue only to be passed to an operation, and the others
/// stay there for the successor.
///
/// Every accepted socket is close-on-exec from the start (accept4(2)). It is non-blocking, except
/// from the functions that block.
///
/// **Executor.** Completion handlers without an executor of their own run on that of the acceptor,
/// and new sockets live there. A handler is never called from within the function that starts its
/// operation.
///
/// **Object lifetimes.** A handle: copies refer to the same socket, which lives until it is handed
/// over, closed, or the upgrader is destroyed. When the last copy is destroyed, waiting operations
/// end with `operation_aborted`. An acceptor that was moved from is closed, and keeps its executor.
/// The execution context must outlive the upgrader.
///
/// **Thread-safety.** Distinct objects: safe. Shared objects: safe for all member functions but
/// assignment; no strand is needed.
///
/// **Errors.** `bad_descriptor` if the acceptor was never opened, or was moved from.
/// `operation_aborted` if this process has stopped accepting from it, or it was closed. Functions
/// that take no `error_code` throw `boost::system::system_error`.
template <class Protocol, class Executor = boost::asio::any_io_executor>
class basic_acceptor : public boost::asio::socket_base {
  static_assert(std::is_same_v<Protocol, boost::asio::ip::tcp>,
                "graceful hands over TCP listeners (IPv4 and IPv6)");

  template <class Other>
  using socket_on = typename Protocol::socket::template rebind_executor<Other>::other;

 public:
  using executor_type = Executor;
  using protocol_type = Protocol;
  using endpoint_type = typename Protocol::endpoint;
  using native_handle_type = int;
  using socket_type = socket_on<Executor>;

  /// The same kind of acceptor on another kind of executor, for `as_default_on` of a token.
  template <class Other>
  struct rebind_executor {
    using other = basic_acceptor<Protocol, Other>;
  };

  /// Constructs a closed acceptor.
  explicit basic_acceptor(const executor_type& executor) : executor_{executor} {}

  /// The same, on the executor of `context`.
  template <class Context>
  requires(std::is_convertible_v<Context&, boost::asio::execution_context&>)  //
      explicit basic_acceptor(Context& context)
      : executor_{context.get_executor()} {}

  /// For `upgrader::listen` only.
  basic_acceptor(std::shared_ptr<detail::listener> body, Protocol protocol)
      : executor_{detail::executor_of(*body)},
        body_{detail::handle_of(std::move(body))},
        protocol_{protocol} {}

  basic_acceptor(const basic_acceptor&) = default;
  basic_acceptor(basic_acceptor&& other) noexcept
      : executor_{other.executor_},  // NOLINT(performance-move-constructor-init): it keeps it
        body_{std::move(other.body_)},
        protocol_{other.protocol_} {}
  basic_acceptor& operator=(const basic_acceptor&) = default;
  basic_acceptor& operator=(basic_acceptor&& other) noexcept {
    executor_ = other.executor_;
    protocol_ = other.protocol_;
    body_ = std::move(other.body_);
    return *this;
  }
  ~basic_acceptor() = default;

  /// Converts from an acceptor on a kind of executor that converts to this one's.
  template <class Other>
  requires(std::is_convertible_v<Other, Executor> && !std::is_same_v<Other, Executor>)  //
      basic_acceptor(basic_acceptor<Protocol, Other> other)
      : executor_{other.executor_}, body_{std::move(other.body_)}, protocol_{other.protocol_} {}

  [[nodiscard]] const executor_type& get_executor() const noexcept { return executor_; }

  /// Accepts one connection into a new socket on this acceptor's executor.
  ///
  /// **Handler signature.** `void(error_code, socket)`.
  ///
  /// **Executor, allocator.** The handler's associated ones are honoured.
  ///
  /// **Per-operation cancellation.** Terminal, partial and total: each ends the operation with
  /// `operation_aborted`, and none loses a connection.
  ///
  /// **Errors.** `operation_aborted` if this process stopped accepting, `cancel()` or `close()` was
  /// called, or the operation was cancelled: end the loop. Otherwise those of accept(2), including
  /// `no_descriptors` (EMFILE); the acceptor continues to work. Pause before the next
  /// `async_accept` then, or the loop spins: the connection stays in the queue meanwhile.
  template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, socket_type)) Token =
                boost::asio::default_completion_token_t<executor_type>>
  requires(!detail::executor_or_context<Token>)  //
      auto async_accept(Token&& token = Token{}) {
    return start_new<socket_type, Token>(executor_, detail::no_endpoint{}, token);
  }

  /// The same, into a socket on `where`: an executor, or an execution context.
  template <detail::executor_or_context Where,
            BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code,
                                                 socket_on<detail::executor_from_t<Where>>))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_accept(Where&& where, Token&& token = Token{}) {
    return start_new<socket_on<detail::executor_from_t<Where>>, Token>(
        detail::executor_from(where), detail::no_endpoint{}, token);
  }

  /// The same, and stores the address of the peer in `peer`, which must live until the handler is
  /// called.
  template <std::same_as<endpoint_type> Endpoint,
            BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code, socket_type))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_accept(Endpoint& peer, Token&& token = Token{}) {
    return start_new<socket_type, Token>(executor_, detail::peer_endpoint<endpoint_type>{&peer},
                                         token);
  }

  template <detail::executor_or_context Where,
            BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code,
                                                 socket_on<detail::executor_from_t<Where>>))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_accept(Where&& where, endpoint_type& peer, Token&& token = Token{}) {
    return start_new<socket_on<detail::executor_from_t<Where>>, Token>(
        detail::executor_from(where), detail::peer_endpoint<endpoint_type>{&peer}, token);
  }

  /// The same, into `socket`, which must not be open (otherwise `already_open`) and must live until
  /// the handler is called. It may be that of another kind of stream: `ssl_stream.lowest_layer()`.
  ///
  /// **Handler signature.** `void(error_code)`.
  template <class OtherProtocol, class OtherExecutor,
            BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code)) Token =
                boost::asio::default_completion_token_t<executor_type>>
  requires(std::is_convertible_v<Protocol, OtherProtocol>)  //
      auto async_accept(boost::asio::basic_socket<OtherProtocol, OtherExecutor>& socket,
                        Token&& token = Token{}) {
    return start_given<OtherProtocol, Token>(socket, detail::no_endpoint{}, token);
  }

  template <class OtherProtocol, class OtherExecutor,
            BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code)) Token =
                boost::asio::default_completion_token_t<executor_type>>
  requires(std::is_convertible_v<Protocol, OtherProtocol>)  //
      auto async_accept(boost::asio::basic_socket<OtherProtocol, OtherExecutor>& socket,
                        endpoint_type& peer, Token&& token = Token{}) {
    return start_given<OtherProtocol, Token>(socket, detail::peer_endpoint<endpoint_type>{&peer},
                                             token);
  }

  /// Waits until a connection could be accepted (`wait_read`), without accepting it. A listening
  /// socket gets ready for nothing else: other waits end only by `cancel` and the like.
  ///
  /// **Handler signature, cancellation.** `void(error_code)`; cancellation as of `async_accept`.
  template <BOOST_ASIO_COMPLETION_TOKEN_FOR(void(error_code))
                Token = boost::asio::default_completion_token_t<executor_type>>
  auto async_wait(wait_type what, Token&& token = Token{}) {
    return boost::asio::async_initiate<Token, void(error_code)>(initiate_wait{*this}, token, what);
  }

  /// Accepts one connection, and blocks until there is one. Ends with `operation_aborted` in the
  /// same cases as an operation. A signal handler does not end it: call `cancel()`. The socket
  /// lives on this acceptor's executor, or on `where`: an executor, or an execution context; or it
  /// is `socket`, as above. `peer` gets the address of the peer.
  socket_type accept() { return sync_new<socket_type>(executor_, detail::no_endpoint{}); }
  socket_type accept(error_code& ec) {
    return sync_new<socket_type>(executor_, detail::no_endpoint{}, ec);
  }
  socket_type accept(endpoint_type& peer) {
    return sync_new<socket_type>(executor_, detail::peer_endpoint<endpoint_type>{&peer});
  }
  socket_type accept(endpoint_type& peer, error_code& ec) {
    return sync_new<socket_type>(executor_, detail::peer_endpoint<endpoint_type>{&peer}, ec);
  }
  template <detail::executor_or_context Where>
  auto accept(Where&& where) {
    return sync_new<socket_on<detail::executor_from_t<Where>>>(detail::executor_from(where),
                                                               detail::no_endpoint{});
  }
  template <detail::executor_or_context Where>
  auto accept(Where&& where, error_code& ec) {
    return sync_new<socket_on<detail::executor_from_t<Where>>>(detail::executor_from(where),
                                                               detail::no_endpoint{}, ec);
  }
  template <detail::executor_or_context Where>
  auto accept(Where&& where, endpoint_type& peer) {
    return sync_new<socket_on<detail::executor_from_t<Where>>>(
        detail::executor_from(where), detail::peer_endpoint<endpoint_type>{&peer});
  }
  template <detail::executor_or_context Where>
  auto accept(Where&& where, endpoint_type& peer, error_code& ec) {
    return sync_new<socket_on<detail::executor_from_t<Where>>>(
        detail::executor_from(where), detail::peer_endpoint<endpoint_type>{&peer}, ec);
  }
  template <class OtherProtocol, class OtherExecutor>
  requires(std::is_convertible_v<Protocol, OtherProtocol>) void accept(
      boost::asio::basic_socket<OtherProtocol, OtherExecutor>& socket) {
    error_code ec;
    accept(socket, ec);
    check(ec, "accept");
  }
  template <class OtherProtocol, class OtherExecutor>
  requires(std::is_convertible_v<Protocol, OtherProtocol>) error_code
      accept(boost::asio::basic_socket<OtherProtocol, OtherExecutor>& socket, error_code& ec) {
    return sync_given<OtherProtocol>(socket, detail::no_endpoint{}, ec);
  }
  template <class OtherProtocol, class OtherExecutor>
  requires(std::is_convertible_v<Protocol, OtherProtocol>) void accept(
      boost::asio::basic_socket<OtherProtocol, OtherExecutor>& socket, endpoint_type& peer) {
    error_code ec;
    accept(socket, peer, ec);
    check(ec, "accept");
  }
  template <class OtherProtocol, class OtherExecutor>
  requires(std::is_convertible_v<Protocol, OtherProtocol>) error_code
      accept(boost::asio::basic_socket<OtherProtocol, OtherExecutor>& socket, endpoint_type& peer,
             error_code& ec) {
    return sync_given<OtherProtocol>(socket, detail::peer_endpoint<endpoint_type>{&peer}, ec);
  }

  /// The same as `async_wait`, and blocks.
  void wait(wait_type what) {
    error_code ec;
    wait(what, ec);
    check(ec, "wait");
  }
  error_code wait(wait_type what, error_code& ec) {
    detail::wait(body_.get(), what, ec);
    return ec;
  }

  /// The address the socket is bound to, with the real port if port 0 was asked for. A
  /// default-constructed endpoint once the socket is handed over or closed. This function does not
  /// throw: the process may hand over just when the server prints where it listens.
  [[nodiscard]] endpoint_type local_endpoint() const {
    error_code ignored;
    return local_endpoint(ignored);
  }
  endpoint_type local_endpoint(error_code& ec) const {
    endpoint_type endpoint;
    const auto length = detail::local_address(
        body_.get(), {endpoint.data(), static_cast<socklen_t>(endpoint.capacity())}, ec);
    if (ec) return {};
    endpoint.resize(length);
    return endpoint;
  }

  /// The name it listens under; empty if it does not.
  [[nodiscard]] std::string name() const { return detail::name_of(body_.get()); }

  /// False once the socket is handed over or closed; in a group also until the socket listens, see
  /// `upgrader::listen_group`.
  [[nodiscard]] bool is_open() const { return detail::is_open(body_.get()); }

  /// The descriptor, -1 if it is closed. Only look at it: a successor has it too.
  [[nodiscard]] native_handle_type native_handle() const {
    return detail::native_handle(body_.get());
  }

  /// Whether `accept` fails with `would_block` instead of blocking. Asynchronous operations never
  /// block.
  [[nodiscard]] bool non_blocking() const { return detail::is_non_blocking(body_.get()); }
  void non_blocking(bool mode) {
    error_code ec;
    check(non_blocking(mode, ec), "non_blocking");
  }
  error_code non_blocking(bool mode, error_code& ec) {
    detail::set_non_blocking(body_.get(), mode, ec);
    return ec;
  }

  /// Calls setsockopt(2) and getsockopt(2) with Asio's option types. If the acceptor has several
  /// sockets (see `upgrader::ready`), the option is set on all that it has by then.
  template <class Option>
  void set_option(const Option& option) {
    error_code ec;
    set_option(option, ec);
    check(ec, "set_option");
  }
  template <class Option>
  error_code set_option(const Option& option, error_code& ec) {
    detail::set_option(body_.get(), option.level(protocol_), option.name(protocol_),
                       option.data(protocol_), option.size(protocol_), ec);
    return ec;
  }
  template <class Option>
  void get_option(Option& option) const {
    error_code ec;
    get_option(option, ec);
    check(ec, "get_option");
  }
  template <class Option>
  error_code get_option(Option& option, error_code& ec) const {
    const auto size =
        detail::get_option(body_.get(), option.level(protocol_), option.name(protocol_),
                           option.data(protocol_), option.size(protocol_), ec);
    if (!ec) option.resize(protocol_, size);
    return ec;
  }

  /// Ends waiting operations with `operation_aborted`. The acceptor stays usable.
  void cancel() {
    error_code ec;
    check(cancel(ec), "cancel");
  }
  error_code cancel(error_code& ec) {
    detail::cancel(body_.get(), ec);
    return ec;
  }

  /// Stops listening for good: the socket is closed, and no successor gets it unless its upgrade
  /// has begun. When the last holder closes it, the kernel resets the connections in the accept
  /// queue, see listen(2).
  void close() {
    error_code ec;
    check(close(ec), "close");
  }
  error_code close(error_code& ec) {
    detail::close(body_.get(), ec);
    return ec;
  }

 private:
  friend upgrader;
  template <class, class>
  friend class basic_acceptor;

  class initiate_accept {
   public:
    using executor_type = Executor;
    explicit initiate_accept(const basic_acceptor& self)
        : executor_{self.executor_}, body_{self.body_} {}
    [[nodiscard]] const executor_type& get_executor() const noexcept { return executor_; }

    template <class Handler, class Into, class Peer>
    void operator()(Handler&& handler, Into into, Peer peer) const {
      error_code ec;
      const bool can = into.can_accept(ec);
      detail::accept_wrapper<std::decay_t<Handler>, Into, Peer> whole{
          std::forward<Handler>(handler), std::move(into), peer};
      if (!can) return detail::fail(executor_, ec, std::move(whole));
      if (!body_) return detail::fail(executor_, detail::closed(), std::move(whole));
      detail::async_accept(*body_, peer.room(), std::move(whole));
    }

   private:
    Executor executor_;
    std::shared_ptr<detail::listener> body_;
  };

  class initiate_wait {
   public:
    using executor_type = Executor;
    explicit initiate_wait(const basic_acceptor& self)
        : executor_{self.executor_}, body_{self.body_} {}
    [[nodiscard]] const executor_type& get_executor() const noexcept { return executor_; }

    template <class Handler>
    void operator()(Handler&& handler, wait_type what) const {
      detail::accept_wrapper<std::decay_t<Handler>, detail::into_nothing, detail::no_endpoint>
          whole{std::forward<Handler>(handler), {}, {}};
      if (!body_) return detail::fail(executor_, detail::closed(), std::move(whole));
      detail::async_wait(*body_, what, std::move(whole));
    }

   private:
    Executor executor_;
    std::shared_ptr<detail::listener> body_;
  };

  static void check(const error_code& ec, const char* what) {
    if (ec) throw boost::system::system_error{ec, what};
  }

  template <class Socket, class Token, class Other, class Peer>
  auto start_new(const Other& executor, Peer peer, std::type_identity_t<Token>& token) {
    return boost::asio::async_initiate<Token, void(error_code, Socket)>(
        initiate_accept{*this}, token, detail::into_new<Socket, Protocol>{executor, protocol_},
        peer);
  }

  template <class OtherProtocol, class Token, class Socket, class Peer>
  auto start_given(Socket& socket, Peer peer, std::type_identity_t<Token>& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        initiate_accept{*this}, token,
        detail::into_given<Socket, OtherProtocol>{&socket, OtherProtocol{protocol_}}, peer);
  }

  template <class Socket, class Other, class Peer>
  Socket sync_new(const Other& executor, Peer peer, error_code& ec) {
    auto got = detail::accept(body_.get(), peer.room(), ec);
    if (!ec) peer.resize(got.address_length);
    return detail::into_new<Socket, Protocol>{executor, protocol_}.take(ec, std::move(got.fd));
  }

  template <class Socket, class Other, class Peer>
  Socket sync_new(const Other& executor, Peer peer) {
    error_code ec;
    auto socket = sync_new<Socket>(executor, peer, ec);
    check(ec, "accept");
    return socket;
  }

  template <class OtherProtocol, class Socket, class Peer>
  error_code sync_given(Socket& socket, Peer peer, error_code& ec) {
    const detail::into_given<Socket, OtherProtocol> into{&socket, OtherProtocol{protocol_}};
    if (!into.can_accept(ec)) return ec;
    auto got = detail::accept(body_.get(), peer.room(), ec);
    if (!ec) peer.resize(got.address_length);
    into.take(ec, std::move(got.fd));
    return ec;
  }

  Executor executor_;
  std::shared_ptr<detail::listener> body_;
  Protocol protocol_ = Protocol::v4();
};

/// The same on any kind of executor.
template <class Protocol>
using acceptor = basic_acceptor<Protocol>;

}  // namespace graceful

#endif
