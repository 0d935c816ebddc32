// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace graceful_bench {

/// The address and the name of a benchmark's listener.
struct site {
  std::string name;
  boost::asio::ip::tcp::endpoint endpoint;
};

/// `count` different ones on 127.A.B.1 to 127.A.B.200, where `network` is AB.
///
/// The ports are below the ephemeral range: connect(2) on this machine never picks a bound port of
/// that range, and 20,000 of them would disturb other programs.
inline std::vector<site> loopback_sites(std::size_t count, std::uint16_t network) {
  constexpr std::size_t addresses = 200;
  constexpr std::size_t first_port = 20'000;
  std::vector<site> sites;
  sites.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto host = static_cast<std::uint32_t>(1 + i % addresses);
    const boost::asio::ip::address_v4 address{127U << 24 | std::uint32_t{network} << 8 | host};
    const auto port = static_cast<std::uint16_t>(first_port + i / addresses);
    sites.push_back({"listener-" + std::to_string(i), {address, port}});
  }
  return sites;
}

/// A network that no other benchmark running at the same time is likely to use; not 127.0.
inline std::uint16_t network_of(std::uint32_t pid, std::uint32_t which) {
  return static_cast<std::uint16_t>(256 + (pid * 2 + which) % 65'000);
}

}  // namespace graceful_bench
