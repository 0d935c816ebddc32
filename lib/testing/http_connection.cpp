// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/http_connection.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <system_error>

namespace graceful::testing {
namespace {

constexpr std::size_t head_limit = 64 * 1024;

[[noreturn]] void lose(loss how, std::string why) { throw request_lost{how, std::move(why)}; }

[[noreturn]] void lose_by_errno(const char* call) {
  const int error = errno;
  std::string why = std::string{call} + ": " + std::strerror(error);
  switch (error) {
    case ECONNREFUSED:
      lose(loss::refused, std::move(why));
    case ECONNRESET:
    case EPIPE:
      lose(loss::reset, std::move(why));
    case EAGAIN:       // SO_RCVTIMEO, SO_SNDTIMEO
    case EINPROGRESS:  // SO_SNDTIMEO in connect(2)
    case ETIMEDOUT:    // the kernel's own patience
      lose(loss::timed_out, std::move(why));
    default:
      lose(loss::other, std::move(why));
  }
}

template <class T>
void set_option(int fd, int level, int option, const T& value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) lose_by_errno("setsockopt");
}

void bind_loopback_source(int fd, unsigned sequence) {
  // Without this, bind(2) would take a port for the source address alone; connect(2) chooses one
  // that is free towards this target.
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  sockaddr_in source{};
  source.sin_family = AF_INET;
  source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + sequence % 32);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
    lose_by_errno("bind");
  }
}

bool is_loopback(const sockaddr_storage& address) {
  return address.ss_family == AF_INET &&
         ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == 127;
}

std::optional<std::uint64_t> number_at_start(std::string_view text) {
  std::uint64_t value{};
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return {};
  return value;
}

/// The value of the header `name`; both in lower case.
std::string_view header(std::string_view head, const std::string& name) {
  const std::string begin = "\r\n" + name + ":";
  const auto at = head.find(begin);
  if (at == head.npos) return {};
  std::string_view value = head.substr(at + begin.size());
  value = value.substr(0, value.find("\r\n"));
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  return value.substr(0, value.find_last_not_of(" \t") + 1);
}

}  // namespace

http_target resolve(const std::string& host, std::uint16_t port,
                    std::chrono::milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    throw std::runtime_error{host + ": " + ::gai_strerror(error)};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found, &::freeaddrinfo};
  http_target target{.length = found->ai_addrlen, .timeout = timeout};
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  return target;
}

http_connection::http_connection(const http_target& target, unsigned sequence)
    : socket_{::socket(target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)},
      timeout_{target.timeout} {
  if (!socket_) lose_by_errno("socket");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout_);
  const timeval limit{
      seconds.count(),
      std::chrono::duration_cast<std::chrono::microseconds>(timeout_ - seconds).count()};
  set_option(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, limit);
  set_option(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, limit);
  set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (is_loopback(target.address)) bind_loopback_source(socket_.get(), sequence);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&target.address), target.length) !=
      0) {
    lose_by_errno("connect");
  }
}

void http_connection::send(std::string_view request) {
  while (!request.empty()) {
    const ssize_t sent = ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0) lose_by_errno("send");
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
}

http_response http_connection::exchange(std::string_view request) {
  const deadline until{timeout_};
  send(request);
  received_.clear();
  std::size_t head_size = 0;
  while ((head_size = received_.find("\r\n\r\n")) == received_.npos) {
    if (received_.size() > head_limit) lose(loss::other, "a response head without end");
    if (receive(until) == 0) {
      lose(loss::cut_short,
           received_.empty() ? "closed before the response" : "closed within the response's head");
    }
  }

  std::string head = received_.substr(0, head_size + 2);
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (!head.starts_with("http/1.1 200 ")) {
    lose(loss::other, "status line: " + received_.substr(0, received_.find("\r\n")));
  }
  const auto body_size = number_at_start(header(head, "content-length"));
  if (!body_size) lose(loss::other, "a response without Content-Length");
  const std::string_view by = header(head, "x-served-by");
  const http_response response{
      .generation = by.starts_with("gen-") ? number_at_start(by.substr(4)).value_or(0) : 0,
      .closes = header(head, "connection") == "close"};

  const std::uint64_t complete = head_size + 4 + *body_size;
  while (received_.size() < complete) {
    if (receive(until) == 0) lose(loss::cut_short, "closed within the response's body");
  }
  if (received_.size() > complete) lose(loss::other, "bytes after the response");
  return response;
}

void http_connection::await_close() {
  if (receive(timeout_) != 0) lose(loss::other, "bytes after the last response");
}

std::size_t http_connection::receive(deadline until) {
  // SO_RCVTIMEO bounds one recv(2); this, a server that sends a byte now and then.
  if (until.passed()) lose(loss::timed_out, "the response trickles");
  std::array<char, 16 * 1024> chunk;
  const ssize_t size = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
  if (size < 0) lose_by_errno("recv");
  received_.append(chunk.data(), static_cast<std::size_t>(size));
  return static_cast<std::size_t>(size);
}

}  // namespace graceful::testing
