// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/varlink.hpp"

#include <boost/json/serialize.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

namespace wire = graceful::wire;

/// A call whose deepest value is `depth` levels deep: the message is the first level, its
/// parameters are the second.
std::string nested(std::size_t depth) {
  const std::size_t arrays = depth - 2;
  return R"({"method":"a.B","parameters":{"p":)" + std::string(arrays, '[') +
         std::string(arrays, ']') + "}}";
}

}  // namespace

TEST_CASE("a call needs only a method") {
  const auto call = wire::parse_call(R"({"method":"org.example.Do"})");
  REQUIRE(call);
  CHECK(call->method == "org.example.Do");
  CHECK(call->parameters.empty());
  CHECK_FALSE(call->more);
  CHECK_FALSE(call->oneway);
}

TEST_CASE("flags and parameters of a call are read, and null ones count as absent") {
  auto call =
      wire::parse_call(R"({"method":"a.B","parameters":{"x":1},"more":true,"oneway":true})");
  REQUIRE(call);
  CHECK(call->parameters.at("x") == 1);
  CHECK(call->more);
  CHECK(call->oneway);
  call = wire::parse_call(R"({"method":"a.B","parameters":null,"more":null,"oneway":false})");
  REQUIRE(call);
  CHECK(call->parameters.empty());
  CHECK_FALSE(call->more);
  CHECK_FALSE(call->oneway);
}

TEST_CASE("unknown top-level keys are ignored") {
  const auto call = wire::parse_call(R"({"upgrade":true,"method":"a.B","x":{"y":[]}})");
  REQUIRE(call);
  CHECK(call->method == "a.B");
  CHECK(wire::parse_reply(R"({"parameters":{},"fds":[1]})"));
}

TEST_CASE("text that is not a call is rejected") {
  for (const std::string_view text : {
           "",
           " ",
           "x",
           "{",
           "[]",
           "1",
           "null",
           "\"method\"",
           "{}",
           "{\"method\":null}",
           "{\"method\":1}",
           "{\"method\":\"a.B\",\"parameters\":[]}",
           "{\"method\":\"a.B\",\"parameters\":1}",
           "{\"method\":\"a.B\",\"more\":1}",
           "{\"method\":\"a.B\",\"more\":\"true\"}",
           "{\"method\":\"a.B\",\"oneway\":{}}",
           "{\"method\":\"a.B\"} x",
           "{\"method\":\"a.B\"}{}",
           "{\"method\":\"a.B\",}",
           "{\"method\":\"\xff\"}",
           "\xef\xbb\xbf{\"method\":\"a.B\"}",
           "{'method':'a.B'}",
           "{\"method\":\"a.B\",\"parameters\":{\"x\":NaN}}",
       }) {
    CAPTURE(std::string{text});
    CHECK_FALSE(wire::parse_call(text));
  }
  CHECK_FALSE(wire::parse_call({"{\"method\":\"a.B\"}\0", 17}));
}

TEST_CASE("nesting up to the limit is accepted, and one level more is rejected") {
  CHECK(wire::max_depth == 16);
  CHECK(wire::parse_call(nested(16)));
  CHECK_FALSE(wire::parse_call(nested(17)));
  CHECK_FALSE(wire::parse_call(nested(30'000)));
}

TEST_CASE("a reply needs no field at all") {
  const auto reply = wire::parse_reply("{}");
  REQUIRE(reply);
  CHECK(reply->parameters.empty());
  CHECK(reply->error.empty());
  CHECK_FALSE(reply->continues);
}

TEST_CASE("parameters, error and continues of a reply are read") {
  auto reply = wire::parse_reply(R"({"error":"a.Failed","parameters":{"message":"m"}})");
  REQUIRE(reply);
  CHECK(reply->error == "a.Failed");
  CHECK(reply->parameters.at("message") == "m");
  reply = wire::parse_reply(R"({"parameters":null,"continues":true})");
  REQUIRE(reply);
  CHECK(reply->continues);
}

TEST_CASE("text that is not a reply is rejected") {
  for (const char* text :
       {"", "[]", "{", "{\"error\":\"\"}", "{\"error\":1}", "{\"error\":{}}", "{\"parameters\":[]}",
        "{\"parameters\":\"\"}", "{\"continues\":1}", "{\"continues\":\"false\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(wire::parse_reply(text));
  }
}

TEST_CASE("a call survives the wire") {
  for (const bool more : {false, true}) {
    for (const bool oneway : {false, true}) {
      for (const auto& parameters :
           {wire::json::object{}, wire::json::object{{"k", "v\n\x01\""}}}) {
        const wire::call sent{"a.b.C", parameters, more, oneway};
        std::string message = wire::to_message(sent);
        REQUIRE(message.back() == '\0');
        message.pop_back();
        CHECK(message.find('\0') == message.npos);
        const auto got = wire::parse_call(message);
        REQUIRE(got);
        CHECK(got->method == sent.method);
        CHECK(got->parameters == sent.parameters);
        CHECK(got->more == more);
        CHECK(got->oneway == oneway);
      }
    }
  }
}

TEST_CASE("a reply survives the wire") {
  for (const std::string error : {"", "a.b.Failed"}) {
    for (const bool continues : {false, true}) {
      const wire::reply sent{{{"n", 7}}, error, continues};
      std::string message = wire::to_message(sent);
      REQUIRE(message.back() == '\0');
      message.pop_back();
      const auto got = wire::parse_reply(message);
      REQUIRE(got);
      CHECK(got->parameters == sent.parameters);
      CHECK(got->error == error);
      CHECK(got->continues == continues);
    }
  }
}

TEST_CASE("a NUL in a string is escaped, so that it does not end the message") {
  const wire::call sent{.method = "a.B", .parameters = {{"k", std::string_view{"a\0b", 3}}}};
  const std::string message = wire::to_message(sent);
  CHECK(message.find('\0') == message.size() - 1);
}

TEST_CASE("messages have the keys of Varlink and no others") {
  CHECK(wire::to_message(wire::call{.method = "a.B", .parameters = {}}) ==
        std::string{"{\"method\":\"a.B\"}"} + '\0');
  CHECK(wire::to_message(wire::reply{}) == std::string{"{\"parameters\":{}}"} + '\0');
}

TEST_CASE("a path that is not UTF-8 makes a message that every peer can parse") {
  wire::reply failed;
  failed.error = "io.graceful.Control.UpgradeFailed";
  failed.parameters["message"] = "cannot execute /srv/gr\xfcn/server";
  auto message = wire::to_message(failed);
  message.pop_back();
  const auto parsed = wire::parse_reply(message);
  REQUIRE(parsed);
  CHECK(parsed->parameters.at("message").as_string() == "cannot execute /srv/gr\ufffdn/server");
}
