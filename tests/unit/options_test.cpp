// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/errc.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/options.hpp>

#include "ordinary_user.hpp"
#include "settings.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

using namespace graceful_test;
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

TEST_CASE("a duration that is negative counts as 0, and one that is longer than a day as that") {
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

TEST_CASE("a name that could not be that of a file is refused, by what it may be") {
  const auto refused = [](const char* name) {
    const auto path = graceful::control_path_of({.name = name});
    return !path && path.error().code == graceful::errc::invalid_argument &&
           path.error().message.find("letters, digits, '.', '_' and '-'") != std::string::npos;
  };
  for (const char* name : {"", ".web", "-web", "web/../x", "web x",
                           "w\xc3\xa9"
                           "b"}) {
    CAPTURE(name);
    CHECK(refused(name));
  }
}

TEST_CASE("a control path that is given is made absolute, whatever the name is") {
  const auto path_of = [](std::string control_path) {
    return graceful::control_path_of({.name = "-", .control_path = std::move(control_path)})
        .value();
  };
  CHECK(path_of("/run/./web/../x.sock") == "/run/x.sock");
  CHECK(path_of("x.sock") == std::filesystem::current_path() / "x.sock");
}

TEST_CASE("without a control path it goes by the name, in a directory that is private, and made") {
  const ordinary_user here;
  const temporary_directory home;
  ::setenv("XDG_RUNTIME_DIR", home.path().c_str(), 1);
  CHECK(graceful::control_path_of({.name = "Web-1.a_b"}).value() ==
        home.path("graceful/Web-1.a_b.sock"));
  CHECK(std::filesystem::status(home.path("graceful")).permissions() ==
        std::filesystem::perms::owner_all);
  std::filesystem::permissions(home.path("graceful"), std::filesystem::perms::all);
  CHECK(graceful::control_path_of({.name = "web"}).error().code ==
        graceful::errc::permission_denied);
  ::unsetenv("XDG_RUNTIME_DIR");
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
