// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_LISTENER_HPP
#define GRACEFUL_DETAIL_LISTENER_HPP

#include <graceful/detail/api.hpp>
#include <graceful/errc.hpp>
#include <graceful/unique_fd.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/socket_base.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <sys/socket.h>

namespace graceful::detail {

namespace asio = boost::asio;

/// The compiled body of `basic_acceptor`: see lib/listen/listener.hpp. If a function below takes a
/// pointer, null means a closed acceptor, and the error `closed()`.
class listener;

/// The place where accept4(2) stores the peer's address: none, or an endpoint that lives until the
/// handler is called.
struct peer_address {
  sockaddr* data = nullptr;
  socklen_t capacity = 0;
};

struct accepted {
  unique_fd fd;
  socklen_t address_length = 0;
};

using accept_handler = asio::any_completion_handler<void(error_code, accepted)>;
using wait_type = asio::socket_base::wait_type;

GRACEFUL_API void async_accept(listener& self, peer_address peer, accept_handler handler);
GRACEFUL_API void async_wait(listener& self, wait_type what, accept_handler handler);
GRACEFUL_API accepted accept(listener* self, peer_address peer, error_code& ec);
GRACEFUL_API void wait(listener* self, wait_type what, error_code& ec);

/// Completes an operation that cannot start, on `executor` unless the handler has its own.
GRACEFUL_API void fail(const asio::any_io_executor& executor, error_code ec,
                       accept_handler handler);
/// The error of an acceptor that was never opened, or was moved from.
inline error_code closed() { return asio::error::bad_descriptor; }

/// Makes the handle by which acceptors refer to the body. When the last handle is destroyed,
/// waiting operations are aborted.
GRACEFUL_API std::shared_ptr<listener> handle_of(std::shared_ptr<listener> body);
GRACEFUL_API asio::any_io_executor executor_of(const listener& self);
GRACEFUL_API std::string name_of(const listener* self);
GRACEFUL_API bool is_open(const listener* self);
GRACEFUL_API int native_handle(const listener* self);
GRACEFUL_API bool is_non_blocking(const listener* self);
GRACEFUL_API void set_non_blocking(listener* self, bool mode, error_code& ec);
GRACEFUL_API void cancel(listener* self, error_code& ec);
GRACEFUL_API void close(listener* self, error_code& ec);
/// Fills in the address that the socket is bound to; returns its length, 0 after an error.
GRACEFUL_API socklen_t local_address(const listener* self, peer_address to, error_code& ec);
GRACEFUL_API void set_option(const listener* self, int level, int option, const void* data,
                             std::size_t size, error_code& ec);
/// Returns the size of the option.
GRACEFUL_API std::size_t get_option(const listener* self, int level, int option, void* data,
                                    std::size_t size, error_code& ec);

/// The target of an accept: a new socket, on an executor of the user's.
template <class Socket, class Protocol>
struct into_new {
  typename Socket::executor_type executor;
  Protocol protocol;

  static bool can_accept(error_code& /*ec*/) { return true; }

  Socket take(error_code& ec, unique_fd fd) const {
    Socket socket{executor};
    if (ec) return socket;
    // The socket owns it as soon as assign() succeeds; otherwise `fd` closes it.
    const int raw = fd.get();
    socket.assign(protocol, raw, ec);
    if (!ec) (void)fd.release();
    return socket;
  }

  template <class Handler>
  void deliver(Handler handler, error_code ec, unique_fd fd) const {
    auto socket = take(ec, std::move(fd));
    std::move(handler)(ec, std::move(socket));
  }
};

/// The same for a socket that the user made: it is filled in place.
template <class Socket, class Protocol>
struct into_given {
  Socket* socket;
  Protocol protocol;

  /// Prevents an accept whose connection the socket could not take.
  bool can_accept(error_code& ec) const {
    if (socket->is_open()) ec = asio::error::already_open;
    return !ec;
  }

  void take(error_code& ec, unique_fd fd) const {
    if (ec) return;
    const int raw = fd.get();
    socket->assign(protocol, raw, ec);
    if (!ec) (void)fd.release();
  }

  template <class Handler>
  void deliver(Handler handler, error_code ec, unique_fd fd) const {
    take(ec, std::move(fd));
    std::move(handler)(ec);
  }
};

/// The target of a wait: nothing is accepted.
struct into_nothing {
  template <class Handler>
  void deliver(Handler handler, error_code ec, const unique_fd& /*fd*/) const {
    std::move(handler)(ec);
  }
};

/// The peer's address is not wanted.
struct no_endpoint {
  static peer_address room() { return {}; }
  static void resize(socklen_t /*length*/) {}
};

template <class Endpoint>
struct peer_endpoint {
  Endpoint* endpoint;
  [[nodiscard]] peer_address room() const {
    return {endpoint->data(), static_cast<socklen_t>(endpoint->capacity())};
  }
  void resize(socklen_t length) const { endpoint->resize(length); }
};

/// Turns an accepted connection into the arguments of the user's handler. Executor, allocator and
/// cancellation slot are those of that handler.
template <class Handler, class Into, class Peer>
struct accept_wrapper {
  Handler handler;
  Into into;
  Peer peer;

  void operator()(error_code ec, accepted got) {
    if (!ec) peer.resize(got.address_length);
    into.deliver(std::move(handler), ec, std::move(got.fd));
  }
};

/// The types with which Asio's own acceptor says where a new socket lives.
template <class T>
inline constexpr bool is_context =
    std::is_convertible_v<std::add_lvalue_reference_t<T>, asio::execution_context&>;
template <class T>
concept executor_or_context =
    asio::execution::is_executor<std::remove_cvref_t<T>>::value || is_context<T>;

template <class T>
auto executor_from(T& where) {
  if constexpr (asio::execution::is_executor<std::remove_cv_t<T>>::value) {
    return where;
  } else {
    return where.get_executor();
  }
}

template <class T>
using executor_from_t = decltype(executor_from(std::declval<std::remove_reference_t<T>&>()));

}  // namespace graceful::detail

template <template <class, class> class Associator, class Handler, class Into, class Peer,
          class Default>
struct boost::asio::associator<Associator, graceful::detail::accept_wrapper<Handler, Into, Peer>,
                               Default> : Associator<Handler, Default> {
  using wrapper = graceful::detail::accept_wrapper<Handler, Into, Peer>;
  static auto get(const wrapper& w) noexcept {
    return Associator<Handler, Default>::get(w.handler);
  }
  static auto get(const wrapper& w, const Default& d) noexcept {
    return Associator<Handler, Default>::get(w.handler, d);
  }
};

#endif
