// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/testing/http_connection.hpp>
#include <graceful/testing/request_lost.hpp>
#include <graceful/unique_fd.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace graceful::testing {

[[noreturn]] void lose(loss how, std::string why);

/// A client's TCP connection. Non-blocking, so that a deadline covers the whole request, and
/// signals do not disturb it. Every failure throws `request_lost`.
class client_socket {
 public:
  /// Connects. On 127.0.0.0/8, `sequence` spreads connections over 32 source addresses, so that a
  /// connection in TIME_WAIT costs a local port of only one of them. `receive_buffer`: SO_RCVBUF,
  /// for a slow reader; 0: the system's default.
  client_socket(const http_target& target, unsigned sequence, deadline until,
                int receive_buffer = 0);

  void send(std::string_view bytes, deadline until);

  /// Waits for at least one byte. 0: the server has closed.
  std::size_t receive(std::span<char> buffer, deadline until);

  /// Tells the server that nothing more comes; replies still arrive.
  void send_no_more();

  /// Waits for the server to close first, so that the TIME_WAIT is the server's.
  void await_close(deadline until);

  /// Closes with a reset.
  void abort();

 private:
  void wait(short events, deadline until, const char* call);

  graceful::unique_fd fd_;
};

}  // namespace graceful::testing
