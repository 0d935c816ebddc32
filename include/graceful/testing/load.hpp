// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_LOAD_HPP
#define GRACEFUL_TESTING_LOAD_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/testing/load_report.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace graceful::testing {

// A value describes what the clients of a load do. Each kind begins with the same members:
//
//   host, port    The server.
//   connections   Clients that work at the same time, each with one connection and a thread of its
//                 own. Meant for up to 256; beyond, the threads measure each other.
//   rate          Requests a second, of all clients together. A request is due at its time however
//                 long the others take, and its latency counts from then on, so that a server that
//                 stalls cannot hide the requests that wait for it. 0: each client sends its next
//                 request as soon as the last is answered.
//   timeout       Limit of a request, from connecting until its reply is complete.
//
// A failure counts, and no silent retry hides it. This includes requests that HTTP permits a client
// to repeat (RFC 9112, 9.3.1): a request is lost if the server closes a kept connection without
// having said `Connection: close`. A deploy that relies on clients to repeat loses the requests of
// clients that must not. So the pauses between the requests of a client, as a rate makes them, have
// to stay below the server's idle timeout.

/// GET requests whose replies have status 200 and a Content-Length.
struct http_load {
  std::string host = "127.0.0.1";
  std::uint16_t port{};
  int connections = 8;
  double rate = 0;
  std::chrono::milliseconds timeout{10'000};
  bool keep_alive = true;  ///< False: one connection per request, which the server closes first.
  std::string path = "/";
  std::string served_by = "X-Served-By";  ///< The header that tells the generation: gen-N...
};

/// The verdict on a reply so far.
enum class verdict { incomplete, good, bad };

/// Any protocol of requests and replies.
struct exchange_load {
  std::string host = "127.0.0.1";
  std::uint16_t port{};
  int connections = 8;
  double rate = 0;
  std::chrono::milliseconds timeout{10'000};
  bool keep_alive = true;  ///< False: one connection per exchange, which the client closes.
  std::string request{};   ///< Empty if the server speaks first.
  std::string reply{};     ///< The exact reply, unless there is a `judge`.

  /// Judges a reply: called after each piece that arrives, with all of the reply so far. All
  /// clients call it at once; an exception counts as a bad reply.
  std::function<verdict(std::string_view reply)> judge{};

  /// Returns the generation that has sent this good reply; called in the same way as `judge`.
  std::function<std::uint64_t(std::string_view reply)> generation{};
};

/// Long replies, each on a connection of its own, read to the end that their Content-Length
/// promises. The timeout applies to connecting and to each wait for the server.
struct stream_load {
  std::string host = "127.0.0.1";
  std::uint16_t port{};
  int connections = 4;
  double rate = 0;
  std::chrono::milliseconds timeout{10'000};
  std::string path = "/";
  std::string served_by = "X-Served-By";
  std::size_t bytes_per_second = 0;  ///< Limit of each stream; 0: none.
};

/// Connections without any data. A connection counts as ok when connect(2) succeeds, whatever the
/// server does with it.
struct connect_load {
  std::string host = "127.0.0.1";
  std::uint16_t port{};
  int connections = 8;
  double rate = 0;
  std::chrono::milliseconds timeout{10'000};
  /// Closes with a reset instead of a FIN. That leaves no TIME_WAIT; the server may accept a
  /// connection that is dead already.
  bool abort = false;
};

/// Clients that send and read in small pieces, as over a bad line: GET requests as in `http_load`.
/// The timeout applies to connecting and to each wait for the server.
struct slow_load {
  std::string host = "127.0.0.1";
  std::uint16_t port{};
  int connections = 8;
  double rate = 0;
  std::chrono::milliseconds timeout{10'000};
  bool keep_alive = true;
  std::string path = "/";
  std::string served_by = "X-Served-By";
  std::size_t send_bytes = 1;  ///< Bytes at a time; 0: all of the request at once.
  std::chrono::milliseconds send_pause{10};
  std::size_t read_bytes = 0;  ///< Bytes at a time; 0: all that have arrived.
  std::chrono::milliseconds read_pause{10};
};

/// A running load, from its construction to `stop()` or its destruction.
///
/// A handle: it can be moved. A moved-from load can only be assigned to or destroyed. Several
/// threads may call the members at once, except `stop()`, moves and destruction. The constructors
/// throw `std::runtime_error` for a host that cannot be resolved, `std::invalid_argument` for
/// values that make no sense, and `std::system_error` if threads cannot be made.
class GRACEFUL_API load {
 public:
  explicit load(const http_load& what);
  explicit load(const exchange_load& what);
  explicit load(const stream_load& what);
  explicit load(const connect_load& what);
  explicit load(const slow_load& what);
  load(load&& other) noexcept;
  load& operator=(load&& other) noexcept;  ///< Stops the load that it has run so far.
  ~load();

  /// Lets each request in flight finish; slow clients and streams hurry now. No further request is
  /// due. A second call returns the same report.
  load_report stop();

  [[nodiscard]] std::uint64_t ok_so_far() const;

  static constexpr std::uint64_t any_number = std::numeric_limits<std::uint64_t>::max();

  /// True once this many more requests have succeeded; false at the deadline, by `stop()`, or as
  /// soon as more than `may_lose` have been lost meanwhile.
  bool wait_for(std::uint64_t further_ok_requests, deadline until,
                std::uint64_t may_lose = any_number);

  /// True once this generation has served this many requests in all; false in the same cases.
  bool wait_for_generation(std::uint64_t generation, std::uint64_t requests, deadline until,
                           std::uint64_t may_lose = any_number);

  /// True once this many requests have been lost in all.
  bool wait_for_lost(std::uint64_t requests, deadline until);

 private:
  class running;
  std::unique_ptr<running> running_;
};

}  // namespace graceful::testing

#endif
