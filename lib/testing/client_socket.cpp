// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/client_socket.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace graceful::testing {
namespace {

[[noreturn]] void lose_by(int error, const char* call) {
  std::string why = std::string{call} + ": " + ::strerrordesc_np(error);
  switch (error) {
    case ECONNREFUSED:
      lose(loss::refused, std::move(why));
    case ECONNRESET:
    case EPIPE:
      lose(loss::reset, std::move(why));
    case ETIMEDOUT:  // the kernel's own time-out
      lose(loss::timed_out, std::move(why));
    default:
      lose(loss::other, std::move(why));
  }
}

template <class T>
void set_option(int fd, int level, int option, const T& value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) lose_by(errno, "setsockopt");
}

void bind_loopback_source(int fd, unsigned sequence) {
  // Without this, bind(2) would reserve a port for the source address alone. With it, connect(2)
  // chooses a port that is free for this target.
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + sequence % 32);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
    lose_by(errno, "bind");
  }
}

bool is_loopback(const sockaddr_storage& address) {
  return address.ss_family == AF_INET &&
         ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

void lose(loss how, std::string why) { throw request_lost{how, std::move(why)}; }

client_socket::client_socket(const http_target& target, unsigned sequence, deadline until,
                             int receive_buffer)
    : fd_{::socket(target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
  if (!fd_) lose_by(errno, "socket");
  set_option(fd_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (receive_buffer > 0) set_option(fd_.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  if (is_loopback(target.address)) bind_loopback_source(fd_.get(), sequence);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&target.address), target.length) ==
      0) {
    return;
  }
  if (errno != EINPROGRESS && errno != EINTR) lose_by(errno, "connect");
  wait(POLLOUT, until, "connect");
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) lose_by(error, "connect");
}

void client_socket::send(std::string_view bytes, deadline until) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait(POLLOUT, until, "send");
    } else if (errno != EINTR) {
      lose_by(errno, "send");
    }
  }
}

// Fails only where the connection has failed, which the reader sees.
void client_socket::send_no_more() { ::shutdown(fd_.get(), SHUT_WR); }

std::size_t client_socket::receive(std::span<char> buffer, deadline until) {
  while (true) {
    // Wait first: otherwise a server that sends a byte now and then would be waited for without
    // end.
    wait(POLLIN, until, "recv");
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EAGAIN && errno != EINTR) lose_by(errno, "recv");
  }
}

void client_socket::await_close(deadline until) {
  char byte{};
  if (receive({&byte, 1}, until) != 0) lose(loss::other, "bytes after the last reply");
}

void client_socket::abort() {
  set_option(fd_.get(), SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
  fd_.reset();
}

void client_socket::wait(short events, deadline until, const char* call) {
  pollfd entry{fd_.get(), events, 0};
  while (true) {
    if (until.passed()) lose(loss::timed_out, std::string{call} + ": not in time");
    const int ready = ::poll(&entry, 1, until.poll_timeout());
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) lose_by(errno, "poll");
  }
}

}  // namespace graceful::testing
