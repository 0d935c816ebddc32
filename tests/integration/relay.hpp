// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "clients.hpp"
#include "server_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace graceful_test {

/// A server_fixture under load whose generations alternate between C++ and Python (tests/interop).
/// The Python ones know the library only from docs/protocol.md.
struct relay {
  using strings = std::vector<std::string>;

  explicit relay(strings arguments = {}) : s{std::move(arguments)} { at_work.go_on(); }

  [[nodiscard]] strings python(const strings& more = {}) const {
    return joined(joined(programs::python("server.py"), {"--control", s.control()}), more);
  }

  /// Upgrades to `command`, and waits for the end.
  finished deploy(const strings& command) { return s.upgrade(behind_dashes(command)); }

  /// Upgrades to `command`, which must succeed and make `generation`.
  void deployed(const strings& command, std::uint64_t generation) {
    const auto done = deploy(command);
    INFO(done.all, s.scene().report());
    REQUIRE(done.status == "exited 0");
    at_work.reach(generation);
  }

  /// Upgrades to `command`, until its successor serves in probation. Returns its pid.
  pid_t on_probation(const strings& command, std::uint64_t generation) {
    upgrade = &s.start_upgrade(behind_dashes(command));
    INFO(upgrade->output());
    REQUIRE(upgrade->wait_for_output("ready: generation " + std::to_string(generation), patience));
    REQUIRE(at_work.connecting.wait_for_generation(generation, 20, patience));
    CHECK(serves_alone(generation, s));
    return spawned_pid(*upgrade);
  }

  /// graceful-ctl reports the rollback, and `generation` serves new clients.
  void rolled_back(const std::string& reason, std::uint64_t generation) {
    const auto end = upgrade->wait_exit(patience);
    INFO(s.scene().report());
    CHECK(end.exited(1));
    CHECK(contains(upgrade->output(), "rolled back: " + reason));
    CHECK(contains(s.status().out, "the last upgrade failed: rolled back: " + reason));
    CHECK(s.generation() == static_cast<std::int64_t>(generation));
    CHECK(serves_alone(generation, s));
  }

  /// Stops the clients, see `clients::check`. Every message must be as documented.
  void costs(killed whom = killed::nobody) {
    at_work.go_on();
    at_work.check(whom);
    INFO(s.scene().report());
    CHECK_FALSE(contains(s.server().output(), "undocumented"));
    CHECK_FALSE(contains(s.server().output(), "Traceback"));
  }

  /// Ends the serving process; no process and no path may be left.
  void ends() {
    CHECK(s.ctl({"drain", s.control()}).status == "exited 0");
    CHECK(s.scene().wait_all_gone(patience));
    CHECK(std::filesystem::is_empty(s.scene().path("")));
  }

  /// What an operator orders, and the expected result.
  struct order {
    strings call;
    std::string end = "reply";  ///< Or "error".
    std::string says{};         ///< Must be among the answers.
  };

  /// An operator's client that checks the answers against the document. One process makes all
  /// calls, because Python starts slowly.
  void operate(const std::vector<order>& orders) {
    strings argv = programs::python("operate.py");
    argv.push_back(s.control());
    for (const order& each : orders) {
      if (&each != &orders.front()) argv.emplace_back("then");
      argv.insert(argv.end(), each.call.begin(), each.call.end());
    }
    const auto done = run(s.scene(), argv);
    INFO(done.all);
    REQUIRE(done.status == "exited 0");
    std::istringstream lines{done.out};
    for (const order& each : orders) {
      CAPTURE(each.call.front());
      std::string answers, line;
      while (std::getline(lines, line) && line.front() == '{') answers += line + '\n';
      CHECK(line == each.end);
      CHECK(contains(answers, each.says));
    }
  }

  server_fixture s;
  clients at_work{s};
  process* upgrade = nullptr;
};

}  // namespace graceful_test
