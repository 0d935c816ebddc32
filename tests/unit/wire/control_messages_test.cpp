// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/control_messages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

namespace wire = graceful::wire;
namespace json = boost::json;
using namespace std::chrono_literals;

json::object object(const std::string& text) { return json::parse(text).as_object(); }

const json::object good_status = object(R"({
  "name": "web", "generation": 3, "pid": 812, "uptime_ms": 5000, "state": "serving",
  "version": "0.1.0", "connections": 41,
  "draining": [{"generation": 1, "pid": 600, "hurried": true},
               {"generation": 2, "pid": 700, "connections": 4, "hurried": false}],
  "listeners": [{"name": "http", "address": "[::1]:80", "queue": 2, "backlog": 128}]})");

std::optional<graceful::upgrade_request> upgrade(const std::string& parameters) {
  return wire::parse_upgrade(object(parameters));
}

}  // namespace

TEST_CASE("an Upgrade without parameters asks for the server's own command and patience") {
  for (const char* text :
       {"{}", R"({"command":null,"directory":null,"environment":null,"timeout_ms":null})",
        R"({"later":1})"}) {
    const auto got = upgrade(text);
    REQUIRE(got);
    CHECK(got->command.empty());
    CHECK(got->directory.empty());
    CHECK(got->environment.empty());
    CHECK_FALSE(got->timeout);
  }
}

TEST_CASE("Upgrade survives the wire") {
  const auto call = wire::to_call(graceful::upgrade_request{
      {"/bin/server", "--x", ""}, {{"A", "1"}, {"B", ""}}, 1500ms, "/srv/app"});
  CHECK(call.method == "io.graceful.Control.Upgrade");
  CHECK(call.more);
  const auto got = wire::parse_upgrade(call.parameters);
  REQUIRE(got);
  CHECK(got->command == std::vector<std::string>{"/bin/server", "--x", ""});
  CHECK(got->environment == std::map<std::string, std::string>{{"A", "1"}, {"B", ""}});
  CHECK(got->timeout == 1500ms);
  CHECK(got->directory == "/srv/app");
}

TEST_CASE(
    "an Upgrade whose strings execve(2) would cut, or whose directory is relative, is rejected") {
  for (const char* text :
       {R"({"command":["/bin/true\u0000/../sh"]})", R"({"command":["sh","a\u0000b"]})",
        R"({"directory":"/srv\u0000"})", R"({"directory":"srv"})", R"({"directory":""})",
        R"({"environment":{"A\u0000B":"1"}})", R"({"environment":{"A":"1\u00002"}})"}) {
    CAPTURE(text);
    CHECK_FALSE(upgrade(text));
  }
}

TEST_CASE("an Upgrade with a parameter of a wrong type is rejected") {
  for (const char* text :
       {R"({"command":"server"})", R"({"command":[1]})", R"({"command":{}})", R"({"directory":1})",
        R"({"directory":["/srv"]})", R"({"command":["a",null]})", R"({"environment":[]})",
        R"({"environment":"A=1"})", R"({"environment":{"A":1}})", R"({"environment":{"A":null}})",
        R"({"timeout_ms":"1"})", R"({"timeout_ms":1.5})", R"({"timeout_ms":[]})",
        R"({"timeout_ms":true})"}) {
    CAPTURE(text);
    CHECK_FALSE(upgrade(text));
  }
}

TEST_CASE("an upgrade may be given from one millisecond to 24 hours") {
  CHECK(upgrade(R"({"timeout_ms":1})")->timeout == 1ms);
  CHECK(upgrade(R"({"timeout_ms":86400000})")->timeout == 24h);
  for (const char* text : {"0", "-1", "86400001", "9223372036854775807", "18446744073709551615",
                           "-9223372036854775808", "1e3"}) {
    CAPTURE(text);
    CHECK_FALSE(upgrade(std::string{R"({"timeout_ms":)"} + text + "}"));
  }
}

TEST_CASE("a phase survives the wire, without the fields that it does not have") {
  const auto bare = wire::to_reply(graceful::upgrade_phase{
      "spawned", 12ms, std::nullopt, std::nullopt, std::nullopt, std::nullopt, ""});
  CHECK(bare.parameters == object(R"({"phase":"spawned","elapsed_ms":12})"));
  const auto full = wire::to_reply(graceful::upgrade_phase{"ready", 12ms, 7ms, 812, 4, 3, ""});
  const auto got = wire::parse_phase(full.parameters);
  REQUIRE(got);
  CHECK(got->phase == "ready");
  CHECK(got->elapsed == 12ms);
  CHECK(got->duration == 7ms);
  CHECK(full.parameters.at("duration_ms") == 7);
  CHECK(got->pid == 812);
  CHECK(got->generation == 4);
  CHECK(got->sockets == 3);
}

TEST_CASE("a phase needs its name and its time") {
  for (const char* text :
       {"{}", R"({"phase":"ready"})", R"({"elapsed_ms":1})", R"({"phase":1,"elapsed_ms":1})",
        R"({"phase":"ready","elapsed_ms":-1})", R"({"phase":"ready","elapsed_ms":"1"})"}) {
    CAPTURE(text);
    CHECK_FALSE(wire::parse_phase(object(text)));
  }
}

TEST_CASE("the progress of a drain survives the wire, and needs all its fields") {
  const auto sent = wire::to_reply(graceful::drain_progress{"draining", 12ms, 41, 2, ""});
  CHECK(sent.parameters ==
        object(R"({"phase":"draining","elapsed_ms":12,"connections":41,"cut":2})"));
  const auto got = wire::parse<graceful::drain_progress>(sent.parameters);
  REQUIRE(got);
  CHECK(got->phase == "draining");
  CHECK(got->elapsed == 12ms);
  CHECK(got->connections == 41);
  CHECK(got->cut == 2);
  for (const char* key : {"phase", "elapsed_ms", "connections", "cut"}) {
    auto bad = sent.parameters;
    bad[key] = json::array{};
    CHECK_FALSE(wire::parse<graceful::drain_progress>(bad));
    bad.erase(key);
    CHECK_FALSE(wire::parse<graceful::drain_progress>(bad));
  }
}

TEST_CASE("metrics are one text, which is required") {
  const auto sent = wire::to_reply(graceful::server_metrics{"# EOF\n", ""});
  CHECK(sent.parameters == object(R"({"text":"# EOF\n"})"));
  CHECK(wire::parse<graceful::server_metrics>(sent.parameters)->text == "# EOF\n");
  for (const char* wrong : {"{}", R"({"text":null})", R"({"text":["# EOF"]})"}) {
    CHECK_FALSE(wire::parse<graceful::server_metrics>(object(wrong)));
  }
}

TEST_CASE("Drain lets connections finish unless it says now") {
  CHECK(wire::parse_drain(object("{}")) == false);
  CHECK(wire::parse_drain(object(R"({"now":null})")) == false);
  CHECK(wire::parse_drain(object(R"({"now":false})")) == false);
  CHECK(wire::parse_drain(object(R"({"now":true})")) == true);
  CHECK_FALSE(wire::parse_drain(object(R"({"now":1})")).has_value());
}

TEST_CASE("Status survives the wire") {
  const auto first = wire::parse_status(good_status);
  REQUIRE(first);
  CHECK(first->name == "web");
  CHECK(first->generation == 3);
  CHECK(first->pid == 812);
  CHECK(first->uptime == 5s);
  CHECK(first->state == "serving");
  CHECK(first->version == "0.1.0");
  CHECK(first->connections == 41);
  REQUIRE(first->listeners.size() == 1);
  CHECK(first->listeners[0].address == "[::1]:80");
  CHECK(first->listeners[0].queue == 2);
  CHECK(first->listeners[0].backlog == 128);
  REQUIRE(first->draining.size() == 2);
  CHECK_FALSE(first->draining[0].connections);
  CHECK(first->draining[0].hurried);
  CHECK(first->draining[1].pid == 700);
  CHECK(first->draining[1].connections == 4);
  CHECK(wire::to_reply(*first).parameters == good_status);
}

TEST_CASE("a status needs all its fields, with the right types") {
  for (const char* key :
       {"name", "generation", "pid", "uptime_ms", "state", "version", "connections", "listeners"}) {
    CAPTURE(key);
    auto bad = good_status;
    bad.erase(key);
    CHECK_FALSE(wire::parse_status(bad));
    for (const json::value& wrong :
         {json::value(nullptr), json::value(true), json::value(json::object{})}) {
      bad[key] = wrong;
      CHECK_FALSE(wire::parse_status(bad));
    }
  }
  for (const char* key : {"generation", "uptime_ms"}) {
    auto bad = good_status;
    bad[key] = -1;
    CHECK_FALSE(wire::parse_status(bad));
  }
}

TEST_CASE("a status whose listeners lack a field is rejected") {
  for (const char* key : {"name", "address", "queue", "backlog"}) {
    auto bad = good_status;
    auto& listener = bad["listeners"].as_array()[0].as_object();
    listener[key] = nullptr;
    CHECK_FALSE(wire::parse_status(bad));
    listener.erase(key);
    CHECK_FALSE(wire::parse_status(bad));
  }
  auto bad = good_status;
  bad["listeners"] = boost::json::array{"http"};
  CHECK_FALSE(wire::parse_status(bad));
  bad["listeners"] = json::array{};
  CHECK(wire::parse_status(bad));
}

TEST_CASE("a successor in probation and the last failure are present or absent") {
  auto status = good_status;
  CHECK_FALSE(wire::parse_status(status)->successor_pid);
  CHECK(wire::parse_status(status)->last_failure.empty());
  status["successor"] = object(R"({"pid":900})");
  status["last_failure"] = "rolled back";
  const auto got = wire::parse_status(status);
  REQUIRE(got);
  CHECK(got->successor_pid == 900);
  CHECK(got->last_failure == "rolled back");
  CHECK(wire::to_reply(*got).parameters == status);
  status["successor"] = object("{}");
  CHECK_FALSE(wire::parse_status(status));
}

TEST_CASE("draining generations are listed, or the list is absent or null") {
  auto status = good_status;
  status["draining"] = nullptr;
  CHECK(wire::parse_status(status)->draining.empty());
  status.erase("draining");
  CHECK(wire::parse_status(status)->draining.empty());
  for (const char* wrong : {"{}", "700", "[700]", "[{}]", R"([{"generation":1,"pid":2}])",
                            R"([{"generation":1,"pid":"2","hurried":false}])",
                            R"([{"generation":1,"pid":2,"hurried":0}])"}) {
    CAPTURE(wrong);
    status["draining"] = json::parse(wrong);
    CHECK_FALSE(wire::parse_status(status));
  }
}

TEST_CASE("an event survives the wire") {
  const graceful::server_event sent{.event = "ready",
                                    .message = "generation 2 serves",
                                    .generation = 1,
                                    .pid = 812,
                                    .time = 1'700'000'000'123ms};
  const auto parameters = wire::to_reply(sent).parameters;
  const auto got = wire::parse<graceful::server_event>(parameters);
  REQUIRE(got);
  CHECK(got->event == "ready");
  CHECK(got->message == "generation 2 serves");
  CHECK(got->time == 1'700'000'000'123ms);
  CHECK(wire::to_reply(*got).parameters == parameters);
  for (const char* key : {"event", "message", "generation", "pid", "time_ms"}) {
    auto incomplete = parameters;
    incomplete.erase(key);
    CHECK_FALSE(wire::parse<graceful::server_event>(incomplete));
  }
}

TEST_CASE("an error reply carries a sentence for a person") {
  const auto reply = wire::to_error(wire::busy_error, "wait");
  CHECK(reply.error == "io.graceful.Control.Busy");
  CHECK(reply.parameters == object(R"({"message":"wait"})"));
}

TEST_CASE("a failed upgrade says if the server ends too, and leaves that out otherwise") {
  CHECK(wire::to_upgrade_failed("m", true).parameters == object(R"({"message":"m","ends":true})"));
  CHECK(wire::to_upgrade_failed("m", false).parameters == object(R"({"message":"m"})"));
}

TEST_CASE("the addresses of dropped listeners come back, or none if they do not match the names") {
  auto given = good_status;
  given["dropped"] = {"http", "admin"};
  given["dropped_addresses"] = {"127.0.0.1:80", "127.0.0.1:81"};
  const auto status = wire::parse_status(given);
  REQUIRE(status);
  CHECK(status->dropped_addresses == std::vector<std::string>{"127.0.0.1:80", "127.0.0.1:81"});
  CHECK(wire::to_reply(*status).parameters == given);
  given["dropped_addresses"].as_array().pop_back();
  CHECK(wire::parse_status(given).value().dropped_addresses.empty());
  given.erase("dropped_addresses");  // an older server
  CHECK(wire::parse_status(given).value().dropped.size() == 2);
}
