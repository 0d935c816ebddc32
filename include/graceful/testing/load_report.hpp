// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_LOAD_REPORT_HPP
#define GRACEFUL_TESTING_LOAD_REPORT_HPP

#include <graceful/detail/api.hpp>
#include <graceful/testing/request_lost.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace graceful::testing {

/// A request that was lost, for a timeline.
struct GRACEFUL_API load_failure {
  std::chrono::milliseconds after{};  ///< Time since `load_report::started`.
  std::uint64_t ok_before{};          ///< How many requests had succeeded by then.
  loss how{};
  std::string why;

  [[nodiscard]] std::string to_string() const;  ///< "reset: recv: ... (after 12 ms, 340 ok)"
};

/// The outcomes of the requests of a load; each request counts once.
struct GRACEFUL_API load_report {
  /// The number of failures with details; all are counted.
  static constexpr std::size_t failures_told = 100;

  std::uint64_t ok{};
  std::uint64_t refused{};  ///< This and the next four: see `loss`.
  std::uint64_t reset{};
  std::uint64_t cut_short{};
  std::uint64_t timed_out{};
  std::uint64_t other{};
  std::uint64_t reconnects{};  ///< Connections, attempts too, beyond one for each client.

  /// With a rate only: requests that were due before the load was stopped, but for which no client
  /// was free. A few from the last moment are normal; many mean that the server did not keep up.
  std::uint64_t unsent{};

  /// The number of ok requests by generation; 0 stands for replies that do not tell theirs.
  std::map<std::uint64_t, std::uint64_t> by_generation;

  /// Latencies of ok requests, as percentiles. Rounded down to a multiple of a power of two, by
  /// less than 1/64 (1.6 %); exact below 128 us. Without a rate, a latency counts from when the
  /// request is sent (or its connection is opened, if it needs one), otherwise from when it was
  /// due.
  std::chrono::microseconds p50{}, p90{}, p99{}, p999{};
  std::chrono::microseconds max{};  ///< Exact.

  /// The longest time in which no request at all succeeded, from start to stop.
  std::chrono::milliseconds longest_silence{};

  std::chrono::steady_clock::time_point started{};
  std::vector<load_failure> failures;  ///< The first failures, in the order of their ends.

  /// The number of requests that were neither ok nor left unsent.
  [[nodiscard]] std::uint64_t lost() const;

  /// The number of replies from this generation.
  [[nodiscard]] std::uint64_t served_by(std::uint64_t generation) const;

  /// The number of replies from the highest generation that sent any; 0 if no reply tells its
  /// generation.
  [[nodiscard]] std::uint64_t served_by_latest() const;

  /// One `key: value` a line, and the first failures.
  [[nodiscard]] std::string to_string() const;
};

}  // namespace graceful::testing

#endif
