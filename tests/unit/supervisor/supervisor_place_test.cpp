// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/supervisor_place.hpp"

#include "os/service_manager.hpp"

#include "lingering_socket.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace graceful_test;
namespace os = graceful::os;

TEST_CASE("unread notifications whose descriptors close slowly delay nobody") {
  const temporary_directory directory;
  std::optional<graceful::supervisor_place> place{
      graceful::supervisor_place::take(
          {.control = directory.path("s"), .socket = directory.path("t")})
          .value()};
  // The test's own close(2) must not be the last.
  const auto deposit = [&](graceful::unique_fd fd) {
    const auto manager = os::service_manager::at(place->paths().notify()).value();
    REQUIRE(manager.notify("FDSTORE=1", {fd.get()}).has_value());
  };
  lingering_socket one;
  lingering_socket nested;
  lingering_socket last;
  deposit(one.release());
  deposit(nested.release_nested());
  const auto again = duration_of([&] { REQUIRE(place->hear_again([](int) {}).has_value()); });
  CHECK(again < lingering_socket::no_wait);
  deposit(last.release());
  place->leave();
  CHECK(duration_of([&] { place.reset(); }) < lingering_socket::no_wait);
}
