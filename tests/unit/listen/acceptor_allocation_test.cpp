// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "listen/listener_fixture.hpp"

#include "counted_new.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>

using namespace graceful_test;

TEST_CASE("an accept allocates nothing once the loop runs") {
  open_web web;
  std::size_t accepted = 0;
  std::function<void()> next = [&] {
    web.acceptor.async_accept([&](graceful::error_code ec, tcp::socket) {
      if (ec) return;
      ++accepted;
      next();
    });
  };
  next();
  constexpr std::size_t warm = 10;
  constexpr std::size_t all = 110;
  for (std::size_t n = 1; n <= all; ++n) {
    const auto client = web.connect();
    const auto before = allocations();
    const bool came = web.run_until([&] { return accepted == n; });
    const auto after = allocations();
    REQUIRE(came);
    if (n > warm) CHECK(after == before);  // Asio reuses the data of a descriptor for the next one
  }
  web.home->stop();
}
