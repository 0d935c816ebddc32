// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/http_connection.hpp>

#include "testing/client_socket.hpp"
#include "testing/http_reply.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <netdb.h>

namespace graceful::testing {

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
    : socket_{std::make_unique<client_socket>(target, sequence, target.timeout)},
      timeout_{target.timeout} {}

http_connection::http_connection(http_connection&& other) noexcept = default;
http_connection& http_connection::operator=(http_connection&& other) noexcept = default;
http_connection::~http_connection() = default;

void http_connection::send(std::string_view request) { socket_->send(request, timeout_); }

http_response http_connection::exchange(std::string_view request) {
  const deadline until{timeout_};
  socket_->send(request, until);
  received_.clear();
  http_reply reply;
  while (!reply.complete()) {
    std::array<char, 16'384> chunk;
    const std::size_t size = socket_->receive(chunk, until);
    if (size == 0) reply.closed();
    received_.append(chunk.data(), size);
    reply.take({chunk.data(), size});
  }
  const http_response response = reply.response();
  if (response.closes) socket_->send_no_more();
  return response;
}

void http_connection::await_close() { socket_->await_close(timeout_); }

}  // namespace graceful::testing
