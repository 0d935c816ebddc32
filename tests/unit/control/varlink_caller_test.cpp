// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "control/varlink_caller.hpp"

#include "wire/control_messages.hpp"

#include "fake_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace graceful_test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using graceful::errc;
using graceful::varlink_caller;
namespace os = graceful::os;
namespace wire = graceful::wire;

namespace {

varlink_caller caller_of(const fake_server& server, std::chrono::milliseconds deadline = 10s) {
  return varlink_caller::connect(server.path(), deadline).value();
}

}  // namespace

TEST_CASE("calls are made one after the other on one connection") {
  fake_server server{R"({"parameters":{"n":1}})"s + '\0' + R"({"parameters":{"n":2}})" + '\0',
                     false};
  auto caller = caller_of(server);
  for (const int n : {1, 2}) {
    CHECK(caller.ask({.method = "a.b", .parameters = {}}).value().parameters.at("n") == n);
  }
}

TEST_CASE("a call that ends before its last reply leaves no connection to the next one") {
  fake_server server{
      R"({"parameters":{},"continues":true})"s + '\0' + R"({"parameters":{}})" + '\0', false};
  auto caller = caller_of(server);
  {
    varlink_caller::conversation talk{caller};
    REQUIRE(talk.begin({.method = "a.b", .parameters = {}, .more = true}).has_value());
    CHECK(talk.receive(os::after(10s)).value().continues);
  }
  CHECK(caller.order("a.c").error().code == boost::system::errc::not_connected);
}

TEST_CASE("only of an order does a caller say whether the server may still carry it out") {
  const auto words = [](std::string_view method) {
    fake_server server{"", false};
    auto caller = caller_of(server, 20ms);
    const auto why = caller.order(method).error();
    CHECK(why.code == errc::timed_out);
    return why.message;
  };
  CHECK(words(wire::commit_method).find("see graceful-ctl status") != std::string::npos);
  CHECK(words(wire::status_method).find("see graceful-ctl status") == std::string::npos);
}

TEST_CASE("texts are made printable wherever they are in a reply, and the JSON stays as it was") {
  const auto parameters = wire::json::object{
      {"a", "\x1b"}, {"n", 7}, {"all", {"\x1b", {{"in", "\x1b"}}}}, {"map", {{"\x1b", true}}}};
  CHECK(graceful::made_printable(parameters).get_object() ==
        wire::json::object{
            {"a", "?"}, {"n", 7}, {"all", {"?", {{"in", "?"}}}}, {"map", {{"?", true}}}});
}
