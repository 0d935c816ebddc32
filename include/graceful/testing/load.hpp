// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_LOAD_HPP
#define GRACEFUL_TESTING_LOAD_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/deadline.hpp>
#include <graceful/testing/http_connection.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace graceful::testing {

struct load_options {
  std::string host = "127.0.0.1";
  std::uint16_t port{};
  int connections = 8;
  bool keep_alive = true;                     ///< False: a connection a request.
  std::chrono::milliseconds timeout{10'000};  ///< Of each request.
  std::string path = "/";
};

/// What became of the requests; each counts once.
struct GRACEFUL_API load_report {
  std::uint64_t ok{};
  std::uint64_t refused{};
  std::uint64_t reset{};
  std::uint64_t cut_short{};  ///< Closed before the response was complete.
  std::uint64_t timed_out{};
  std::uint64_t other{};       ///< Malformed answers, other statuses, errors of this machine.
  std::uint64_t reconnects{};  ///< Connections beyond the first of each thread.
  std::map<std::uint64_t, std::uint64_t> by_generation;  ///< Of those that were ok.
  std::chrono::microseconds p50{}, p99{};                ///< Rounded down, by less than 1.6 %.
  std::chrono::microseconds longest{};
  /// The longest time in which no request at all succeeded, from start to stop.
  std::chrono::milliseconds longest_silence{};
  std::string first_failure;

  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::string to_string() const;  ///< One `key: value` a line.
};

/// Sends GET requests over several connections, each as soon as the last is answered, and accounts
/// for every one. A failure is counted and never made good by a silent retry.
class GRACEFUL_API load {
 public:
  /// Throws `std::runtime_error` for a host that cannot be resolved.
  explicit load(load_options options);
  load(const load&) = delete;
  load& operator=(const load&) = delete;
  ~load();

  void start();

  /// Lets each request in flight finish.
  load_report stop();

  [[nodiscard]] std::uint64_t ok_so_far() const;

  /// True once this many more have succeeded; false at the deadline or by `stop()`.
  bool wait_for(std::uint64_t further_ok_requests, deadline until);

  /// True once this generation has served this many in all.
  bool wait_for_generation(std::uint64_t generation, std::uint64_t requests, deadline until);

 private:
  using clock = std::chrono::steady_clock;

  void send_requests();
  void count(const http_response& response, clock::duration took);
  void count(const request_lost& failure);
  void end_silence(clock::time_point now);

  const load_options options_;
  const http_target target_;
  const std::string request_;
  std::stop_source stop_;
  std::atomic<unsigned> connected_{};

  mutable std::mutex mutex_;
  std::condition_variable progress_;
  std::condition_variable_any back_off_;
  load_report report_;
  std::map<std::uint64_t, std::uint64_t> latencies_;  // microseconds: how many
  clock::time_point started_, last_ok_;

  std::vector<std::jthread> threads_;  // the last member: ends first
};

}  // namespace graceful::testing

#endif
