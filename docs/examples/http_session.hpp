// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_EXAMPLES_HTTP_SESSION_HPP
#define GRACEFUL_EXAMPLES_HTTP_SESSION_HPP

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace graceful {
class upgrader;
}

struct http_settings {
  std::string body;                  ///< Of each response.
  std::string served_by;             ///< The header X-Served-By.
  std::chrono::milliseconds work{};  ///< What each request takes, asynchronously.
};

/// Serves connections to their end. While the process drains each response says `Connection:
/// close`, and who has nothing to ask for is let go after the idle grace. Thread-safe.
class http_service : public std::enable_shared_from_this<http_service> {
 public:
  http_service(graceful::upgrader& up, http_settings settings)
      : upgrader_{up}, settings_{std::move(settings)} {}

  /// The socket must be on a strand of its own.
  void serve(boost::asio::ip::tcp::socket socket);

  [[nodiscard]] graceful::upgrader& upgrader() const { return upgrader_; }
  [[nodiscard]] const http_settings& settings() const { return settings_; }

 private:
  graceful::upgrader& upgrader_;
  const http_settings settings_;
};

#endif
