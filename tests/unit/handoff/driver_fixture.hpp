// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "handoff/predecessor_driver.hpp"
#include "handoff/served_sessions.hpp"
#include "wire/handoff_messages.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace graceful_test {

/// A predecessor on whose sockets a test can call. It notes what it is told to do with its sockets.
struct driver_fixture : served_sessions {
  explicit driver_fixture(std::chrono::milliseconds probation = std::chrono::milliseconds{0},
                          const std::string& script = "exit 0",
                          const std::string& program = "/bin/sh")
      : driver{io,
               log,
               measured,
               {.open_channel = [] { return graceful::unique_fd{}; },
                .place = [] { return graceful::os::placement::child; },
                .manager = [] { return std::string{"systemd"}; },
                .offer =
                    [this] {
                      note("offer");
                      return offered();
                    },
                .withdraw = [this] { note("withdraw"); },
                .objection = [this](bool) { return objection; },
                .pause_accepting = [this](const auto& but) { note("pause", but); },
                .resume_accepting = [this] { note("resume"); },
                .stop_accepting = [this](const auto& but) { note("stop", but); },
                .tell_monitors = [](const auto&, const auto&) {}},
               {.name = "web",
                .generation = 4,
                .control_path = "/run/web.sock",
                .start = {program, {"sh", "-c", script}, {"KEPT=1"}, "/"},
                .ready_timeout = patience,
                .confirm_timeout = patience,
                .drain_timeout = patience,
                .probation = probation}} {
    on_call = [this](graceful::control_session& from, const graceful::wire::call& c) {
      CHECK(driver.handoff(from, c));
    };
    on_closed = [this](const graceful::control_session& from) { driver.closed(from); };
  }

  void note(std::string what, const std::vector<std::string>& names = {}) {
    for (const auto& name : names) what += ' ' + name;
    done.push_back(std::move(what));
  }

  [[nodiscard]] std::vector<graceful::offered_descriptor> offered() const {
    std::vector<graceful::offered_descriptor> all;
    for (const char* name : {"@lock", "@control", "web", "admin"}) {
      const auto fd =
          std::make_shared<const graceful::unique_fd>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      all.push_back({name, {fd->get(), fd}, std::string_view{name} == "admin"});
    }
    return all;
  }

  /// A successor that has begun, and has everything.
  varlink_peer take_over(const std::string& manager = "systemd") {
    auto peer = connect();
    call(peer, graceful::wire::to_call(graceful::wire::begin{{1}, "", manager}));
    call(peer, graceful::wire::to_call(graceful::wire::fetch{0}));
    return peer;
  }

  graceful::statistics measured;
  std::optional<std::string> objection;
  std::vector<std::string> done;
  graceful::predecessor_driver driver;
};

}  // namespace graceful_test
