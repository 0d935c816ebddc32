// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"

#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <string>

namespace wire = graceful::wire;
using namespace std::chrono_literals;

namespace {

graceful::upgrade_plan some_plan() {
  graceful::upgrade_plan plan{.program = "/opt/shop/shop",
                              .arguments = {"shop", "--fast"},
                              .directory = "/opt/shop",
                              .environment = {{"LANG", "C"}, {"PWD", "/opt/shop"}},
                              .generation = 3,
                              .timeout = 30s,
                              .probation = 5s};
  plan.listeners = {{"http", "0.0.0.0:80", 1, 128}};
  plan.obstacles = {{"busy", "an upgrade is under way"}, {"program", "cannot execute"}};
  return plan;
}

}  // namespace

TEST_CASE("a plan survives the wire") {
  const auto got = wire::parse<graceful::upgrade_plan>(wire::to_reply(some_plan()).parameters);
  REQUIRE(got);
  CHECK(got->program == "/opt/shop/shop");
  CHECK(got->arguments == std::vector<std::string>{"shop", "--fast"});
  CHECK(got->directory == "/opt/shop");
  CHECK(got->environment == some_plan().environment);
  CHECK(got->generation == 3);
  CHECK(got->timeout == 30s);
  CHECK(got->probation == 5s);
  REQUIRE(got->listeners.size() == 1);
  CHECK(got->listeners[0].address == "0.0.0.0:80");
  REQUIRE(got->obstacles.size() == 2);
  CHECK(got->obstacles[1].kind == "program");
  CHECK(got->obstacles[1].message == "cannot execute");
}

TEST_CASE("a plan needs all its fields, with the right types") {
  const auto whole = wire::to_reply(some_plan()).parameters;
  for (const auto& field : whole) {
    const std::string key{field.key()};
    auto without = whole;
    without.erase(key);
    CAPTURE(key);
    CHECK_FALSE(wire::parse<graceful::upgrade_plan>(without));
    auto other = whole;
    other[key] = true;
    CHECK_FALSE(wire::parse<graceful::upgrade_plan>(other));
  }
  auto strange = whole;
  strange["obstacles"] = boost::json::parse(R"([{"kind":"busy"}])");
  CHECK_FALSE(wire::parse<graceful::upgrade_plan>(strange));
}

TEST_CASE("the parts of a start command that are not UTF-8 are shown as far as they are text") {
  auto plan = some_plan();
  plan.arguments.push_back("caf\xe9");
  const auto reply = wire::to_reply(plan);
  auto message = wire::to_message(reply);
  message.pop_back();  // the NUL
  const auto parsed = wire::parse_reply(message);
  REQUIRE(parsed);
  CHECK(wire::parse<graceful::upgrade_plan>(parsed->parameters)->arguments.back() == "caf\ufffd");
}

TEST_CASE("a plan is asked for with the parameters of an upgrade, and for one reply") {
  graceful::upgrade_request request;
  request.command = {"/bin/true"};
  request.timeout = 2s;
  const auto call = wire::to_call(request, wire::plan_method);
  CHECK(call.method == wire::plan_method);
  CHECK_FALSE(call.more);
  CHECK(wire::parse_upgrade(call.parameters)->command == request.command);
  CHECK(wire::parse_upgrade(call.parameters)->timeout == request.timeout);
}
