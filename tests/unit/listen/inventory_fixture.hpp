// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "listen/inventory.hpp"
#include "listen/listener_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graceful_test {

struct counted : graceful::accepting {
  void open() override { ++opened; }
  void pause() override { ++paused; }
  void stop() override { ++stopped; }
  bool adopt(const std::shared_ptr<const graceful::listening_socket>& socket) override {
    if (adopts) adopted.push_back(socket);
    return adopts;
  }
  void let_go(const std::shared_ptr<const graceful::listening_socket>& socket) override {
    left.push_back(socket->name);
  }
  int opened = 0;
  int paused = 0;
  int stopped = 0;
  bool adopts = true;
  graceful::inventory::names left;
  std::vector<std::shared_ptr<const graceful::listening_socket>> adopted;
};

struct stock : log_book {
  graceful::inventory items{log};

  auto listen(std::string_view name, const graceful::os::socket_address& at = v4("127.0.0.1"),
              const graceful::listen_params& params = {}) {
    return items.obtain(name, at, params, {});
  }

  /// Adds a new socket as if a predecessor had handed it over; returns its cookie.
  std::uint64_t inherit(const std::string& name,
                        const graceful::os::socket_address& at = v4("127.0.0.1"),
                        const graceful::listen_params& params = {}) {
    auto fd = graceful::os::listen_tcp(at, params).value();
    const auto cookie = graceful::os::cookie_of(fd.get());
    items.inherit(name, std::move(fd));
    return cookie;
  }
};

inline constexpr graceful::listen_params reuse_port{.reuse_port = true};

inline bool listens(const auto& obtained) {
  REQUIRE(obtained.has_value());
  return option_of((*obtained)->fd.get(), SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

/// What a predecessor with a socket for each of four threads hands over.
struct inherited_group : stock {
  inherited_group() {
    const auto first = listen_anywhere(reuse_port);
    at = address_of(first);
    for (const char* name : {"http/0", "http/1", "http/2", "http/3"}) inherit(name, at, reuse_port);
  }
  graceful::os::socket_address at;
};

inline graceful::os::socket_address free_address() { return address_of(listen_anywhere()); }

/// Two different ones: a port that was released may be assigned again at once.
inline std::pair<graceful::os::socket_address, graceful::os::socket_address> free_addresses() {
  const auto one = listen_anywhere(), two = listen_anywhere();
  return {address_of(one), address_of(two)};
}

inline std::uint64_t cookie_of(const auto& obtained) {
  REQUIRE(obtained.has_value());
  return graceful::os::cookie_of((*obtained)->fd.get());
}

}  // namespace graceful_test
