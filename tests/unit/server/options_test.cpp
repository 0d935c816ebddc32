// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/errc.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>

#include "server/lifecycle.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;

TEST_CASE("the defaults of options are those that are documented") {
  const graceful::options o;
  CHECK(o.name.empty());
  CHECK(o.control_path.empty());
  CHECK(o.command.empty());
  CHECK(o.directory.empty());
  CHECK_FALSE(o.takeover);
  CHECK(o.ready_timeout == 30s);
  CHECK(o.probation == 5s);
  CHECK(o.handoff_timeout == 10s);
  CHECK(o.drain_timeout == 5min);
  CHECK(o.idle_grace == 5s);
  CHECK(o.drain_spread == 1s);
  CHECK_FALSE(o.log);
  CHECK(o.log_threshold == graceful::log_level::info);
}

TEST_CASE("a negative duration counts as 0, and one that is longer than a day as a day") {
  const auto durations = {&graceful::options::ready_timeout,   &graceful::options::probation,
                          &graceful::options::handoff_timeout, &graceful::options::drain_timeout,
                          &graceful::options::idle_grace,      &graceful::options::drain_spread};
  for (const auto each : durations) {
    graceful::options o;
    o.*each = -1ms;
    CHECK(graceful::bounded(o).*each == 0ms);
    o.*each = std::chrono::milliseconds::min();
    CHECK(graceful::bounded(o).*each == 0ms);
    o.*each = 25h;
    CHECK(graceful::bounded(o).*each == 24h);
    o.*each = 7ms;
    CHECK(graceful::bounded(o).*each == 7ms);
  }
}

TEST_CASE("a successor is started as this process was, unless the options say otherwise") {
  const auto own = graceful::os::start_command::of_this_process();
  const auto by_default = graceful::start_command_of({}).value();
  CHECK(by_default.file == own.file);
  CHECK(by_default.arguments == own.arguments);
  CHECK(by_default.directory == own.directory);
  const auto other =
      graceful::start_command_of({.command = {"server", "--x"}, .directory = "/srv"}).value();
  CHECK(other.file == "server");
  CHECK(other.arguments == std::vector<std::string>{"server", "--x"});
  CHECK(other.directory == "/srv");
  CHECK(graceful::start_command_of({.directory = "below"}).value().directory ==
        own.directory + "/below");
  CHECK(graceful::start_command_of({.command = {""}}).error().code ==
        graceful::errc::invalid_argument);
}

TEST_CASE("the defaults of listen_params are those that are documented") {
  const graceful::listen_params p;
  CHECK(p.backlog == 4096);
  CHECK(p.reuse_address);
  CHECK_FALSE(p.reuse_port);
  CHECK_FALSE(p.v6only);
  CHECK(p.bind_attempts == 5);
  CHECK(p.bind_backoff == 20ms);
}
