// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What the templates of <graceful/acceptor.hpp> call.
#include <graceful/detail/listener.hpp>

#include "listen/listener.hpp"
#include "os/system_failure.hpp"

#include <boost/asio/append.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>

namespace graceful::detail {

namespace {

template <class Option>
bool is_option(int level, int name) {
  const Option known;
  const auto protocol = asio::ip::tcp::v4();
  return known.level(protocol) == level && known.name(protocol) == name;
}

shared_socket socket_of(const listener* self) { return self == nullptr ? nullptr : self->socket(); }

}  // namespace

void async_accept(listener& self, peer_address peer, accept_handler handler) {
  self.async_accept(peer, std::move(handler));
}

void async_wait(listener& self, wait_type what, accept_handler handler) {
  self.async_wait(what, std::move(handler));
}

accepted accept(listener* self, peer_address peer, error_code& ec) {
  if (self != nullptr) return self->accept(peer, ec);
  ec = closed();
  return {};
}

void wait(listener* self, wait_type what, error_code& ec) {
  if (self != nullptr) return self->wait(what, ec);
  ec = closed();
}

void fail(const asio::any_io_executor& executor, error_code ec, accept_handler handler) {
  asio::post(executor, asio::append(std::move(handler), ec, accepted{}));
}

std::shared_ptr<listener> handle_of(std::shared_ptr<listener> body) {
  auto* const self = body.get();
  return {self, [body = std::move(body)](listener* /*self*/) { body->cancel(); }};
}

asio::any_io_executor executor_of(const listener& self) { return self.executor(); }

std::string name_of(const listener* self) { return self == nullptr ? std::string{} : self->name(); }

bool is_open(const listener* self) { return socket_of(self) != nullptr; }

int native_handle(const listener* self) {
  const auto socket = socket_of(self);
  return socket ? socket->fd.get() : -1;
}

bool is_non_blocking(const listener* self) { return self != nullptr && self->non_blocking(); }

void set_non_blocking(listener* self, bool mode, error_code& ec) {
  ec = self == nullptr ? closed() : error_code{};
  if (self != nullptr) self->non_blocking(mode);
}

void cancel(listener* self, error_code& ec) {
  ec = self == nullptr ? closed() : error_code{};
  if (self != nullptr) self->cancel();
}

/// Closing a closed acceptor is not an error, as with Asio's own.
void close(listener* self, error_code& ec) {
  ec = {};
  if (self != nullptr) self->close();
}

socklen_t local_address(const listener* self, peer_address to, error_code& ec) {
  const auto socket = socket_of(self);
  ec = socket ? error_code{} : closed();
  socklen_t length = to.capacity;
  if (!ec && ::getsockname(socket->fd.get(), to.data, &length) != 0) ec = os::system_code();
  return ec ? 0 : length;
}

void set_option(const listener* self, int level, int option, const void* data, std::size_t size,
                error_code& ec) {
  const auto sockets = self == nullptr ? decltype(self->sockets()){} : self->sockets();
  ec = sockets.empty() ? closed() : error_code{};
  // An option of Asio itself, not of the kernel: accept always skips aborted connections.
  if (is_option<asio::socket_base::enable_connection_aborted>(level, option)) return;
  for (const auto& each : sockets) {
    if (!ec && ::setsockopt(each->fd.get(), level, option, data, static_cast<socklen_t>(size)) != 0)
      ec = os::system_code();
  }
}

std::size_t get_option(const listener* self, int level, int option, void* data, std::size_t size,
                       error_code& ec) {
  const auto socket = socket_of(self);
  ec = socket ? error_code{} : closed();
  auto length = static_cast<socklen_t>(size);
  if (!ec && ::getsockopt(socket->fd.get(), level, option, data, &length) != 0) {
    ec = os::system_code();
  }
  // socket(7): the kernel returns double the value that was set. Asio returns the value itself.
  const bool doubled = is_option<asio::socket_base::receive_buffer_size>(level, option) ||
                       is_option<asio::socket_base::send_buffer_size>(level, option);
  if (!ec && doubled && length == sizeof(int)) *static_cast<int*>(data) /= 2;
  return ec ? 0 : length;
}

}  // namespace graceful::detail
