// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/http_connection.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace graceful::testing {

/// Parses one reply as it arrives, strictly: status 200 of HTTP/1.1, and a body with exactly one
/// Content-Length. Anything else throws `request_lost`. The body is not kept.
class http_reply {
 public:
  /// `served_by`: the header that names the generation, "gen-N" or "gen-N-...".
  explicit http_reply(std::string_view served_by = "X-Served-By");

  void take(std::string_view bytes);

  /// The server has closed before the end of the reply.
  [[noreturn]] void closed() const;

  [[nodiscard]] bool complete() const { return in_body_ && missing_ == 0; }

  /// Valid once the reply is complete.
  [[nodiscard]] const http_response& response() const { return response_; }

 private:
  void read_head(std::string head);
  void take_body(std::uint64_t bytes);

  std::string served_by_;
  std::string head_;
  bool in_body_ = false;
  std::uint64_t missing_ = 0;
  http_response response_;
};

}  // namespace graceful::testing
