// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "clients.hpp"
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
    at_work.go_on();
    ctl = &s.start_upgrade();
    REQUIRE(ctl->wait_for_output("ready: generation 2", patience));
    REQUIRE(at_work.connecting.wait_for_generation(2, 20, patience));
    successor = open_pidfd(spawned_pid(*ctl));
  }

  static std::vector<std::string> with(std::vector<std::string> arguments, const char* probation) {
    arguments.insert(arguments.end(), {"--probation", probation});
    return arguments;
  }

  /// `generation` serves new clients. For those before, see `clients::check`.
  void serves(std::uint64_t generation, killed whom = killed::nobody) {
    at_work.go_on();
    at_work.check(whom);
    INFO(s.scene().report());
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
  clients at_work{clients::kept_first{}, s};
  process* ctl = nullptr;
  graceful::unique_fd successor;
};

}  // namespace graceful_test
