// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_LISTENER_HPP
#define GRACEFUL_DETAIL_LISTENER_HPP

#include <graceful/detail/api.hpp>
#include <graceful/errc.hpp>
#include <graceful/unique_fd.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associator.hpp>

#include <memory>
#include <string>
#include <utility>

#include <sys/socket.h>

namespace graceful::detail {

namespace asio = boost::asio;

/// The compiled body of `acceptor`: see lib/listener.hpp.
class listener;

using accept_handler = asio::any_completion_handler<void(error_code, unique_fd)>;

GRACEFUL_API void async_accept(const std::shared_ptr<listener>& self, accept_handler handler);
GRACEFUL_API asio::any_io_executor executor_of(const listener& self);
GRACEFUL_API std::string name_of(const listener& self);
GRACEFUL_API bool is_open(const listener& self);
GRACEFUL_API void cancel(listener& self);
GRACEFUL_API void close(listener& self);
/// Fills in the address that the socket is bound to; `length` is the room there is.
GRACEFUL_API void local_address(const listener& self, sockaddr* address, socklen_t& length);

/// Turns the accepted descriptor into the user's kind of socket, on the user's executor.
template <class Handler, class Socket, class Protocol>
struct make_socket {
  Handler handler;
  typename Socket::executor_type executor;
  Protocol protocol;

  void operator()(error_code ec, unique_fd fd) {
    Socket socket{executor};
    if (!ec) {
      // Owned by the socket as soon as assign() succeeds; closed by `fd` where it does not.
      const int raw = fd.get();
      socket.assign(protocol, raw, ec);
      if (!ec) (void)fd.release();
    }
    std::move(handler)(ec, std::move(socket));
  }
};

/// The same for a socket that the user made: it is filled in place.
template <class Handler, class Socket, class Protocol>
struct fill_socket {
  Handler handler;
  Socket& socket;
  Protocol protocol;

  void operator()(error_code ec, unique_fd fd) {
    if (!ec) {
      const int raw = fd.get();
      socket.assign(protocol, raw, ec);
      if (!ec) (void)fd.release();
    }
    std::move(handler)(ec);
  }
};

}  // namespace graceful::detail

// Executor, allocator and cancellation slot of the wrappers are those of the user's handler.
template <template <class, class> class Associator, class Handler, class Socket, class Protocol,
          class Default>
struct boost::asio::associator<Associator, graceful::detail::make_socket<Handler, Socket, Protocol>,
                               Default> : Associator<Handler, Default> {
  using wrapper = graceful::detail::make_socket<Handler, Socket, Protocol>;
  static auto get(const wrapper& w) noexcept {
    return Associator<Handler, Default>::get(w.handler);
  }
  static auto get(const wrapper& w, const Default& d) noexcept {
    return Associator<Handler, Default>::get(w.handler, d);
  }
};

template <template <class, class> class Associator, class Handler, class Socket, class Protocol,
          class Default>
struct boost::asio::associator<Associator, graceful::detail::fill_socket<Handler, Socket, Protocol>,
                               Default> : Associator<Handler, Default> {
  using wrapper = graceful::detail::fill_socket<Handler, Socket, Protocol>;
  static auto get(const wrapper& w) noexcept {
    return Associator<Handler, Default>::get(w.handler);
  }
  static auto get(const wrapper& w, const Default& d) noexcept {
    return Associator<Handler, Default>::get(w.handler, d);
  }
};

#endif
