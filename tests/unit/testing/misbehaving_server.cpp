// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "misbehaving_server.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>

namespace graceful_test {
namespace {

void require(bool success, const char* call) {
  if (!success) throw std::system_error{errno, std::system_category(), call};
}

graceful::unique_fd bind_anywhere() {
  graceful::unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  require(static_cast<bool>(fd), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "bind");
  return fd;
}

std::uint16_t port_of(const graceful::unique_fd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  require(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0,
          "getsockname");
  return ntohs(address.sin_port);
}

}  // namespace

bool peer::await_request(std::string_view end) {
  std::array<char, 4096> buffer;
  std::size_t found = 0;
  while ((found = received_.find(end)) == received_.npos) {
    if (!socket_) return false;
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      was_reset_ = size < 0 && errno == ECONNRESET;
      return false;
    }
    ++reads_;
    received_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  received_.erase(0, found + end.size());
  return true;
}

bool peer::say(std::string_view text) {
  while (socket_ && !text.empty()) {
    const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return static_cast<bool>(socket_);
}

void peer::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

void peer::stall() {
  std::array<char, 4096> buffer;
  while (::recv(socket_.get(), buffer.data(), buffer.size(), 0) > 0) continue;
  socket_.reset();
}

misbehaving_server::misbehaving_server(answer how, std::string request_end)
    : how_{std::move(how)},
      request_end_{std::move(request_end)},
      listener_{bind_anywhere()},
      end_{::eventfd(0, EFD_CLOEXEC)},
      port_{port_of(listener_)} {
  require(static_cast<bool>(end_), "eventfd");
  require(::listen(listener_.get(), 1024) == 0, "listen");
  acceptor_ = std::jthread{[this] { accept_all(); }};
}

misbehaving_server::~misbehaving_server() {
  ::eventfd_write(end_.get(), 1);
  acceptor_.join();
}

void misbehaving_server::accept_all() {
  std::array<pollfd, 2> entries{{{listener_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}}};
  while (::poll(entries.data(), entries.size(), -1) > 0 && entries[1].revents == 0) {
    graceful::unique_fd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!socket) continue;
    ++accepted_;
    connections_.emplace_back([this, fd = socket.release()] { serve(graceful::unique_fd{fd}); });
  }
}

void misbehaving_server::serve(graceful::unique_fd socket) {
  peer client{std::move(socket)};
  while (client.await_request(request_end_)) {
    how_(client, requests_++);
    if (request_end_.empty()) break;
  }
  if (client.was_reset()) ++resets_seen_;
}

closed_port::closed_port() : socket{bind_anywhere()}, number{port_of(socket)} {}

std::string reply_of(std::uint64_t generation, std::string_view body) {
  return "HTTP/1.1 200 OK\r\nX-Served-By: gen-" + std::to_string(generation) +
         "-pid-1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string{body};
}

}  // namespace graceful_test
