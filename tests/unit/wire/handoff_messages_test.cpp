// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/handoff_messages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

namespace wire = graceful::wire;
namespace json = boost::json;

json::object object(const char* text) { return json::parse(text).as_object(); }

/// Each value that is not of the type `right`, a null among them.
std::vector<json::value> others_than(json::kind right) {
  std::vector<json::value> all{nullptr,        true,      1, 1.5, "text", json::array{1, "x"},
                               json::object{}, UINT64_MAX};
  std::erase_if(all, [right](const json::value& v) { return v.kind() == right; });
  return all;
}

/// Checks that `parse` accepts `good`, and rejects it if `key` is missing or wrong.
template <class Parse>
void check_required(Parse parse, const json::object& good, const char* key) {
  CAPTURE(key);
  REQUIRE(parse(good));
  json::object bad = good;
  bad.erase(key);
  CHECK_FALSE(parse(bad));
  for (const auto& wrong : others_than(good.at(key).kind())) {
    CAPTURE(wrong);
    bad[key] = wrong;
    CHECK_FALSE(parse(bad));
  }
}

}  // namespace

TEST_CASE("Begin survives the wire, with and without a token") {
  for (const std::string token : {"", "0123abcd"}) {
    const auto call = wire::to_call(wire::begin{{1, 2, -3}, token});
    CHECK(call.method == "io.graceful.Handoff.Begin");
    CHECK(call.parameters.contains("token") == !token.empty());
    const auto got = wire::parse<wire::begin>(call.parameters);
    REQUIRE(got);
    CHECK(got->versions == std::vector<std::int64_t>{1, 2, -3});
    CHECK(got->token == token);
    CHECK(got->manager.empty());
  }
}

TEST_CASE("Begin names the service manager, if there is one, as a string") {
  const auto call = wire::to_call(wire::begin{{1}, "", "/run/systemd/notify"});
  CHECK(wire::parse<wire::begin>(call.parameters)->manager == "/run/systemd/notify");
  CHECK(wire::parse<wire::begin>(object(R"({"versions":[1],"manager":null})"))->manager.empty());
  CHECK_FALSE(wire::parse<wire::begin>(object(R"({"versions":[1],"manager":true})")));
}

TEST_CASE("Begin without versions, or with invalid ones, is rejected") {
  check_required(wire::parse<wire::begin>, object(R"({"versions":[1]})"), "versions");
  CHECK_FALSE(wire::parse<wire::begin>(object(R"({"versions":["1"]})")));
  CHECK_FALSE(wire::parse<wire::begin>(object(R"({"versions":[1,1.5]})")));
  CHECK_FALSE(wire::parse<wire::begin>(object(R"({"versions":[18446744073709551615]})")));
  CHECK(wire::parse<wire::begin>(object(R"({"versions":[]})")));
}

TEST_CASE("Begin treats a null token as none, and rejects any other that is not a string") {
  const auto none = wire::parse<wire::begin>(object(R"({"versions":[1],"token":null})"));
  REQUIRE(none);
  CHECK(none->token.empty());
  CHECK_FALSE(wire::parse<wire::begin>(object(R"({"versions":[1],"token":1})")));
  CHECK_FALSE(wire::parse<wire::begin>(object(R"({"versions":[1],"token":["t"]})")));
}

TEST_CASE("the reply to Begin survives the wire") {
  const auto got =
      wire::parse<wire::begun>(wire::to_reply(wire::begun{1, 42, "web", 1002}).parameters);
  REQUIRE(got);
  CHECK(got->version == 1);
  CHECK(got->generation == 42);
  CHECK(got->name == "web");
  CHECK(got->descriptors == 1002);
}

TEST_CASE("a reply to Begin needs all its fields, with the right types") {
  const auto good = object(R"({"version":1,"generation":2,"name":"n","descriptors":3})");
  for (const char* key : {"version", "generation", "name", "descriptors"}) {
    check_required(wire::parse<wire::begun>, good, key);
  }
}

TEST_CASE("the totals of a predecessor come with its reply to Begin") {
  const auto reply = wire::to_reply(wire::begun{1, 42, "web", 1002, {1, 2, 3, 4}});
  CHECK(reply.parameters.at("totals") ==
        object(R"({"committed":1,"failed":2,"rolled_back":3,"cut":4})"));
  const auto got = wire::parse<wire::begun>(reply.parameters)->so_far;
  CHECK(got.committed == 1);
  CHECK(got.failed == 2);
  CHECK(got.rolled_back == 3);
  CHECK(got.cut == 4);
}

TEST_CASE(
    "listeners that a service manager keeps are named in the reply to Begin, if there are any") {
  auto reply = wire::to_reply(wire::begun{1, 42, "web", 1002, {}, {"a", "b"}});
  CHECK(wire::parse<wire::begun>(reply.parameters)->kept == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(wire::to_reply(wire::begun{1, 42, "web", 1002}).parameters.contains("kept"));
  for (const char* wrong : {"1", "{}", R"([1])", R"("a")"}) {
    reply.parameters["kept"] = boost::json::parse(wrong);
    CHECK_FALSE(wire::parse<wire::begun>(reply.parameters));
  }
  reply.parameters["kept"] = nullptr;
  CHECK(wire::parse<wire::begun>(reply.parameters)->kept.empty());
}

TEST_CASE("totals that are missing or invalid count as 0, and nothing else is affected") {
  auto begun = object(R"({"version":1,"generation":2,"name":"n","descriptors":3})");
  const auto committed = [&] {
    const auto got = wire::parse<wire::begun>(begun);
    REQUIRE(got);
    CHECK(got->descriptors == 3);
    CHECK(got->so_far.failed == 0);
    return got->so_far.committed;
  };
  CHECK(committed() == 0);
  for (const char* wrong : {"null", "1", "[]", "{}", R"({"committed":-1})", R"({"failed":"2"})"}) {
    CAPTURE(wrong);
    begun["totals"] = json::parse(wrong);
    CHECK(committed() == 0);
  }
  begun["totals"] = object(R"({"committed":5,"failed":-2,"later":1})");
  CHECK(committed() == 5);
}

TEST_CASE("the reply to Ready says how long the phases took, and leaves out unknown ones") {
  using std::chrono::microseconds;
  const wire::phase_durations durations{{"spawned", microseconds{250}},
                                        {"ready", microseconds{12'000'000}}};
  const auto reply = wire::to_reply(wire::readied{durations});
  CHECK(reply.parameters == object(R"({"durations_us":{"ready":12000000,"spawned":250}})"));
  CHECK(wire::parse_readied(reply.parameters).durations == durations);
  for (const char* none : {"{}", R"({"durations_us":null})", R"({"durations_us":[1]})",
                           R"({"durations_us":{"ready":-1,"begun":"1","lunch":5,"passed":1.5}})"}) {
    CAPTURE(none);
    CHECK(wire::parse_readied(object(none)).durations.empty());
  }
}

TEST_CASE("counts must not be negative") {
  auto begun = object(R"({"version":1,"generation":2,"name":"n","descriptors":3})");
  begun["descriptors"] = -1;
  CHECK_FALSE(wire::parse<wire::begun>(begun));
  begun["descriptors"] = 3;
  begun["generation"] = -1;
  CHECK_FALSE(wire::parse<wire::begun>(begun));
  CHECK_FALSE(wire::parse<wire::fetch>(object(R"({"first":-1})")));
  CHECK_FALSE(wire::parse<wire::batch>(object(R"({"first":-1,"names":[]})")));
}

TEST_CASE("Fetch survives the wire and needs its index") {
  const auto call = wire::to_call(wire::fetch{253});
  CHECK(call.method == "io.graceful.Handoff.Fetch");
  const auto got = wire::parse<wire::fetch>(call.parameters);
  REQUIRE(got);
  CHECK(got->first == 253);
  check_required(wire::parse<wire::fetch>, object(R"({"first":0})"), "first");
  CHECK(wire::parse<wire::fetch>(object(R"({"first":9223372036854775807})")));
}

TEST_CASE("a batch survives the wire and needs index and names") {
  const std::vector<std::string> names{"@lock", "@control", "web", ""};
  const auto got = wire::parse<wire::batch>(wire::to_reply(wire::batch{5, names}).parameters);
  REQUIRE(got);
  CHECK(got->first == 5);
  CHECK(got->names == names);
  const auto good = object(R"({"first":0,"names":["a"]})");
  check_required(wire::parse<wire::batch>, good, "first");
  check_required(wire::parse<wire::batch>, good, "names");
  CHECK_FALSE(wire::parse<wire::batch>(object(R"({"first":0,"names":["a",1]})")));
  CHECK_FALSE(wire::parse<wire::batch>(object(R"({"first":0,"names":[null]})")));
}

TEST_CASE("Fail survives the wire and needs its reason") {
  const auto call = wire::to_call(wire::fail{"no \"config\"\n"});
  CHECK(call.method == "io.graceful.Handoff.Fail");
  const auto got = wire::parse<wire::fail>(call.parameters);
  REQUIRE(got);
  CHECK(got->reason == "no \"config\"\n");
  check_required(wire::parse<wire::fail>, object(R"({"reason":"r"})"), "reason");
}

TEST_CASE("a successor that shares no version is told both lists") {
  const auto error = wire::to_incompatible_version("none is shared", {7, -1});
  CHECK(error.error == "io.graceful.Handoff.IncompatibleVersion");
  CHECK(error.parameters ==
        object(R"({"message":"none is shared","offered":[7,-1],"supported":[1]})"));
  CHECK(wire::to_incompatible_version("", {}).parameters.at("offered") == json::array{});
}
