// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/load.hpp>

#include "testing/client_socket.hpp"
#include "testing/pauses.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

namespace graceful::testing {

/// The outcome of a request.
struct answer {
  std::uint64_t generation{};
  deadline::clock::time_point complete{};  ///< When the reply was complete.
};

/// One of a load's clients: in one thread, with one connection.
class client {
 public:
  client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  virtual ~client() = default;

  /// Makes one complete request. Throws `request_lost`; the next request then uses another
  /// connection.
  virtual answer request() = 0;
};

/// Where the clients of a load connect. Thread-safe.
class connector {
 public:
  explicit connector(const http_target& target) : target_{target} {}

  client_socket connect(deadline until, int receive_buffer = 0) {
    return {target_, attempts_++, until, receive_buffer};
  }

  [[nodiscard]] std::chrono::milliseconds timeout() const { return target_.timeout; }
  [[nodiscard]] unsigned attempts() const { return attempts_; }

 private:
  const http_target target_;
  std::atomic<unsigned> attempts_{0};
};

// Clients keep references to what they are given, except the load's values.
std::unique_ptr<client> make_client(const http_load& what, connector& to, pauses& pace);
std::unique_ptr<client> make_client(const stream_load& what, connector& to, pauses& pace);
std::unique_ptr<client> make_client(const slow_load& what, connector& to, pauses& pace);
std::unique_ptr<client> make_client(const exchange_load& what, connector& to, pauses& pace);
std::unique_ptr<client> make_client(const connect_load& what, connector& to, pauses& pace);

}  // namespace graceful::testing
