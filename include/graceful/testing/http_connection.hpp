// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_HTTP_CONNECTION_HPP
#define GRACEFUL_TESTING_HTTP_CONNECTION_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/request_lost.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace graceful::testing {

class client_socket;

struct http_target {
  sockaddr_storage address{};
  socklen_t length{};
  std::chrono::milliseconds timeout{};  ///< Of connecting, and of each request.
};

/// Throws `std::runtime_error` for a name that cannot be resolved.
GRACEFUL_API http_target resolve(const std::string& host, std::uint16_t port,
                                 std::chrono::milliseconds timeout);

struct http_response {
  std::uint64_t generation{};  ///< From X-Served-By; 0 without.
  bool closes{};               ///< It said `Connection: close`.
};

/// A client's connection: one request at a time, nothing retried. Its failures are thrown as
/// `request_lost`. Not thread-safe.
class GRACEFUL_API http_connection {
 public:
  /// Connects. On 127.0.0.0/8, `sequence` spreads connections over 32 source addresses, so that
  /// one in TIME_WAIT costs a local port of one of them only.
  http_connection(const http_target& target, unsigned sequence);
  http_connection(http_connection&& other) noexcept;
  http_connection& operator=(http_connection&& other) noexcept;
  ~http_connection();

  /// Sends a request, or a part of one.
  void send(std::string_view request);

  /// Sends `request` and reads a complete response: status 200, a body of Content-Length. If that
  /// says `Connection: close`, the client's half is closed too, so that the server need not wait
  /// for it.
  http_response exchange(std::string_view request);

  /// What `exchange` has read last, head and body.
  [[nodiscard]] const std::string& last_response() const { return received_; }

  /// Waits for the server to close first, as it must after `Connection: close`, which leaves the
  /// TIME_WAIT to it.
  void await_close();

 private:
  std::unique_ptr<client_socket> socket_;
  std::chrono::milliseconds timeout_;
  std::string received_;
};

}  // namespace graceful::testing

#endif
