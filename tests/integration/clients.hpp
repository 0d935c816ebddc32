// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace graceful_test {

/// The process of an upgrade that is killed.
enum class killed { nobody, successor, predecessor };

/// Clients at work: some keep their connections, and others connect for each request.
struct clients {
  explicit clients(server_fixture& of, int connecting_at_once = http_load{}.connections)
      : s{of}, kept{s.load_on(true)}, connecting{with(s.load_on(false), connecting_at_once)} {}

  /// The others start when each of the first has its connection: one that still waits in the queue
  /// would be accepted by a successor.
  struct kept_first {};
  clients(kept_first, server_fixture& of)
      : s{of}, kept{s.load_on(true)}, connecting{when_all_are_kept()} {}

  /// Waits until both kinds have had some more answers.
  void go_on(std::uint64_t some = 50) {
    REQUIRE(kept.wait_for(some, patience));
    REQUIRE(connecting.wait_for(some, patience));
  }

  /// Waits until both kinds have had some answers from this generation.
  void reach(std::uint64_t generation, std::uint64_t some = 50) {
    REQUIRE(connecting.wait_for_generation(generation, some, patience));
    REQUIRE(kept.wait_for_generation(generation, some, patience));
  }

  struct reports {
    load_report kept, connecting;
    [[nodiscard]] std::uint64_t refused() const { return kept.refused + connecting.refused; }
    [[nodiscard]] std::uint64_t lost() const { return kept.lost() + connecting.lost(); }
    [[nodiscard]] std::string to_string() const {
      return "kept: " + kept.to_string() + "connecting: " + connecting.to_string();
    }
  };
  reports stop() { return {kept.stop(), connecting.stop()}; }

  /// Stops the clients. Only requests in the killed process may be lost: one for each client that
  /// it had. The kept connections stay with the predecessor.
  void check(killed whom = killed::nobody) {
    const auto seen = stop();
    INFO(seen.to_string(), s.scene().report());
    const auto one_each = static_cast<std::uint64_t>(http_load{}.connections);
    CHECK(seen.refused() == 0);
    CHECK(seen.connecting.lost() <= (whom == killed::nobody ? 0 : one_each));
    CHECK(seen.kept.lost() <= (whom == killed::predecessor ? one_each : 0));
  }

  server_fixture& s;
  load kept;
  load connecting;

 private:
  static http_load with(http_load what, int connections) {
    what.connections = connections;
    return what;
  }

  http_load when_all_are_kept() {
    const auto all = ", " + std::to_string(http_load{}.connections) + " connections";
    REQUIRE(s.status_comes_to_say(all));
    return s.load_on(false);
  }
};

}  // namespace graceful_test
