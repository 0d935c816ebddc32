// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/unique_fd.hpp>

#include "patience.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace graceful_test {

using namespace graceful::testing;
using namespace std::chrono_literals;

/// The server's side of a connection.
class peer {
 public:
  explicit peer(graceful::unique_fd socket) : socket_{std::move(socket)} {}

  /// Waits for a whole request, up to and including this end. False if the client has gone.
  bool await_request(std::string_view end);

  /// False if the client has gone.
  bool say(std::string_view text);

  void close() { socket_.reset(); }
  void reset();  ///< Closes with RST.
  void stall();  ///< Sends nothing until the client gives up.
  bool has_left() const { return !socket_; }

  [[nodiscard]] bool was_reset() const { return was_reset_; }
  [[nodiscard]] unsigned reads() const { return reads_; }  ///< How many pieces have arrived.

 private:
  graceful::unique_fd socket_;
  std::string received_;
  bool was_reset_ = false;
  unsigned reads_ = 0;
};

/// Answers each request as a test wants. Has a thread for each connection; ends when its clients
/// have gone.
class misbehaving_server {
 public:
  /// Called for each request, numbered from 0 in order of arrival, by several threads at once.
  using answer = std::function<void(peer& to, unsigned request)>;

  /// `request_end`: empty for a server that sends first, once for each connection.
  explicit misbehaving_server(answer how, std::string request_end = "\r\n\r\n");
  misbehaving_server(const misbehaving_server&) = delete;
  misbehaving_server& operator=(const misbehaving_server&) = delete;
  ~misbehaving_server();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned requests() const { return requests_; }
  [[nodiscard]] unsigned accepted() const { return accepted_; }
  [[nodiscard]] unsigned resets_seen() const { return resets_seen_; }

 private:
  void accept_all();
  void serve(graceful::unique_fd socket);

  const answer how_;
  const std::string request_end_;
  graceful::unique_fd listener_;
  graceful::unique_fd end_;
  std::uint16_t port_;
  std::atomic<unsigned> requests_{0}, accepted_{0}, resets_seen_{0};
  std::list<std::jthread> connections_;
  std::jthread acceptor_;
};

/// A port that is bound, so that no other process gets it, but on which nobody listens.
struct closed_port {
  closed_port();
  graceful::unique_fd socket;
  std::uint16_t number;
};

/// Makes a server pause.
class gate {
 public:
  void open() { opened_.store(true), opened_.notify_all(); }
  void pass() {
    arrived_.store(true), arrived_.notify_all();
    opened_.wait(false);
  }
  /// Returns when a thread waits at the gate, or has waited.
  void await_arrival() const { arrived_.wait(false); }

 private:
  std::atomic<bool> opened_{false}, arrived_{false};
};

/// A valid HTTP reply.
std::string reply_of(std::uint64_t generation, std::string_view body = "hello");

}  // namespace graceful_test
