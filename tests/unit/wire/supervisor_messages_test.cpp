// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/supervisor_messages.hpp"

#include <boost/json/serialize.hpp>

#include <doctest/doctest.h>

#include <string>

namespace wire = graceful::wire;
using namespace std::chrono_literals;

namespace {

graceful::supervisor_status whole() {
  return {.pid = 1,
          .uptime = 2s,
          .state = "waiting",
          .version = "0.1.0",
          .main_pid = 7,
          .said = "generation 1 serves",
          .restarts = 3,
          .failures = 2,
          .failure_limit = 10,
          .last_failure = "exited with status 1",
          .wait = 200ms,
          .kept = {{"http", "127.0.0.1:80"}, {"memory", ""}}};
}

}  // namespace

TEST_CASE("a supervisor's status survives the wire") {
  for (const bool everything : {true, false}) {
    auto status = whole();
    if (!everything) {
      status.main_pid.reset();
      status.wait.reset();
      status.said.clear();
      status.last_failure.clear();
      status.kept.clear();
    }
    const auto reply = wire::to_reply(status);
    const auto back = wire::parse<graceful::supervisor_status>(reply.parameters);
    REQUIRE(back);
    CHECK(boost::json::serialize(wire::to_reply(*back).parameters) ==
          boost::json::serialize(reply.parameters));
    CHECK(back->main_pid == status.main_pid);
    CHECK(back->wait == status.wait);
    CHECK(back->kept.size() == status.kept.size());
  }
}

TEST_CASE("a status with a missing field, or one of another type, is rejected") {
  for (const char* key :
       {"pid", "uptime_ms", "state", "version", "restarts", "failures", "failure_limit", "kept"}) {
    auto parameters = wire::to_reply(whole()).parameters;
    parameters[key] = boost::json::object{};
    CHECK_FALSE(wire::parse<graceful::supervisor_status>(parameters));
    parameters.erase(key);
    CHECK_FALSE(wire::parse<graceful::supervisor_status>(parameters));
  }
  auto parameters = wire::to_reply(whole()).parameters;
  parameters["kept"] = boost::json::array{boost::json::object{{"name", "x"}}};
  CHECK_FALSE(wire::parse<graceful::supervisor_status>(parameters));
}

TEST_CASE("a supervisor that does not say that it has released counts as not having released") {
  const auto is_released = [](const boost::json::object& parameters) {
    return wire::parse<wire::release_reply>(parameters).value().released;
  };
  for (const bool released : {true, false}) {
    const auto parameters = wire::to_reply(wire::release_reply{released}).parameters;
    CHECK(parameters.contains("released"));
    CHECK(is_released(parameters) == released);
  }
  CHECK_FALSE(is_released({}));
  CHECK_FALSE(is_released({{"released", 1}}));
}
