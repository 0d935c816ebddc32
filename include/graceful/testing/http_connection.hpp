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
  std::chrono::milliseconds timeout{};  ///< For connecting, and for each request.
};

/// Throws `std::runtime_error` for a name that cannot be resolved.
GRACEFUL_API http_target resolve(const std::string& host, std::uint16_t port,
                                 std::chrono::milliseconds timeout);

struct http_response {
  std::uint64_t generation{};  ///< Value of X-Served-By; 0 without.
  bool closes{};               ///< It said `Connection: close`.
};

/// A client's connection: one request at a time; it retries nothing. It throws its failures as
/// `request_lost`. Not thread-safe.
class GRACEFUL_API http_connection {
 public:
  /// Connects. On 127.0.0.0/8, `sequence` spreads connections over 32 source addresses, so that a
  /// connection in TIME_WAIT takes a local port of only one of them.
  http_connection(const http_target& target, unsigned sequence);
  http_connection(http_connection&& other) noexcept;
  http_connection& operator=(http_connection&& other) noexcept;
  ~http_connection();

  /// Sends a request, or a part of one.
  void send(std::string_view request);

  /// Sends `request` and reads a complete response: status 200, a body of Content-Length. If the
  /// response says `Connection: close`, closes the client's half too, so that the server need not
  /// wait for it.
  http_response exchange(std::string_view request);

  /// The last response that `exchange` has read, head and body.
  [[nodiscard]] const std::string& last_response() const { return received_; }

  /// Waits until the server closes first, as it must after `Connection: close`; so the TIME_WAIT
  /// stays with the server.
  void await_close();

 private:
  std::unique_ptr<client_socket> socket_;
  std::chrono::milliseconds timeout_;
  std::string received_;
};

}  // namespace graceful::testing

#endif
