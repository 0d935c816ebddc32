// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_EXAMPLES_HTTP_SESSION_HPP
#define GRACEFUL_EXAMPLES_HTTP_SESSION_HPP

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

struct http_settings {
  std::string body;                        ///< Of each response.
  std::string served_by;                   ///< The header X-Served-By.
  std::chrono::milliseconds work{};        ///< What each request takes, asynchronously.
  std::chrono::milliseconds idle_grace{};  ///< How long an idle connection may stay in drain.
};

class http_session;

/// What the connections of this process have in common. Thread-safe.
class http_service : public std::enable_shared_from_this<http_service> {
 public:
  using clock = std::chrono::steady_clock;

  explicit http_service(http_settings settings) : settings_{std::move(settings)} {}

  /// Serves a connection to its end. The socket must be on a strand of its own.
  void serve(boost::asio::ip::tcp::socket socket);

  /// Ends the connections, without cutting a request: each response from now on says
  /// `Connection: close`, and who has nothing to ask for is let go after the idle grace.
  void drain();

  [[nodiscard]] bool draining() const { return draining_; }

  /// Until when a connection may be without a request that has been so `since`.
  [[nodiscard]] clock::time_point idle_until(clock::time_point since) const;

  [[nodiscard]] const http_settings& settings() const { return settings_; }

 private:
  friend http_session;
  void remove(http_session* session);

  const http_settings settings_;
  clock::time_point drain_began_;  // written before draining_ is set, read after
  std::atomic<bool> draining_{false};
  std::mutex mutex_;
  std::map<http_session*, std::weak_ptr<http_session>> sessions_;
};

#endif
