// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>
#include <graceful/testing/load.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace graceful_existing {

struct totals {
  std::uint64_t ok{}, lost{};
  std::string first_loss{};
};

/// Clients of a server, from construction to `stop()`.
class traffic {
 public:
  traffic() = default;
  traffic(const traffic&) = delete;
  traffic& operator=(const traffic&) = delete;
  virtual ~traffic() = default;

  /// True once this many more requests have been answered; false at the deadline, or as soon as
  /// one has been lost.
  virtual bool wait_for(std::uint64_t further, graceful::testing::deadline until) = 0;

  /// Lets the requests in flight finish.
  virtual totals stop() = 0;
};

/// Few, because the tests are about upgrades, and share two cores.
inline constexpr int clients = 2;

enum class connections { one_each, kept };

// Made of the test kit's loads.
std::unique_ptr<traffic> make_traffic(graceful::testing::http_load what);
std::unique_ptr<traffic> make_traffic(graceful::testing::exchange_load what);

// Protocols that the test kit does not speak: a text message and its echo; GET over TLS.
std::unique_ptr<traffic> websocket_traffic(std::uint16_t port, connections how);
std::unique_ptr<traffic> https_traffic(std::uint16_t port, connections how);

}  // namespace graceful_existing
