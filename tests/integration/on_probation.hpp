// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_INTEGRATION_ON_PROBATION_HPP
#define GRACEFUL_TESTS_INTEGRATION_ON_PROBATION_HPP

#include "server_fixture.hpp"
#include "testing/process_table.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace graceful_test {

/// A server under load whose successor has taken over and is in probation for a minute.
struct on_probation {
  explicit on_probation(std::vector<std::string> arguments = {}, const char* probation = "1min")
      : s{with(std::move(arguments), probation)} {
    REQUIRE(all_are_kept);
    REQUIRE(kept.wait_for(50, patience));
    REQUIRE(connecting.wait_for(50, patience));
    ctl = &s.start_upgrade();
    REQUIRE(ctl->wait_for_output("ready: generation 2", patience));
    REQUIRE(connecting.wait_for_generation(2, 20, patience));
    successor = open_pidfd(spawned_pid(*ctl));
  }

  static std::vector<std::string> with(std::vector<std::string> arguments, const char* probation) {
    arguments.insert(arguments.end(), {"--probation", probation});
    return arguments;
  }

  /// Waits until each client of the kept load has its connection: one that still waits in the queue
  /// would be accepted by the successor.
  bool await_kept() {
    return s.status_comes_to_say(", " + std::to_string(http_load{}.connections) + " connections");
  }

  enum class killed { nobody, successor, predecessor };

  /// `generation` serves new clients. The kept connections stay with the predecessor. Only requests
  /// in the killed process may be lost: one for each client that it had.
  void serves(std::uint64_t generation, killed whom = killed::nobody) {
    REQUIRE(connecting.wait_for(50, patience));
    REQUIRE(kept.wait_for(50, patience));
    const auto connected = connecting.stop();
    const auto continued = kept.stop();
    INFO(connected.to_string(), continued.to_string(), s.scene().report());
    const auto clients = static_cast<std::uint64_t>(http_load{}.connections);
    CHECK(connected.refused == 0);
    CHECK(continued.refused == 0);
    CHECK(connected.lost() <= (whom == killed::nobody ? 0 : clients));
    CHECK(continued.lost() <= (whom == killed::predecessor ? clients : 0));
    CHECK(serves_alone(generation, s));
  }

  void rolled_back(const std::string& reason) {
    REQUIRE(ctl->wait_exit(patience));
    CHECK(ctl->wait_exit(patience).exited(1));
    CHECK(contains(ctl->output(), "rolled back: " + reason));
    CHECK(contains(s.server().output(), "rolled back: " + reason));
    const auto status = s.status().out;
    CHECK(contains(status, "generation 1, pid " + std::to_string(s.server().pid()) + ", serving"));
    CHECK(contains(status, "the last upgrade failed: rolled back: " + reason));
  }

  server_fixture s;
  load kept{s.load_on(true)};
  bool all_are_kept = await_kept();  // before others connect
  load connecting{s.load_on(false)};
  process* ctl = nullptr;
  graceful::unique_fd successor;
};

}  // namespace graceful_test

#endif
