// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/interfaces.hpp"

#include <graceful/version.hpp>

#include "wire/handoff_messages.hpp"
#include "wire/interface_grammar.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace wire = graceful::wire;
namespace json = boost::json;

using names = std::set<std::string>;

/// The ```varlink blocks of docs/protocol.md.
std::vector<std::string> documented_interfaces() {
  const char* page = std::getenv("PROTOCOL_PAGE");
  REQUIRE(page != nullptr);
  std::ifstream file{page};
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```varlink") {
      blocks.emplace_back();
      inside = true;
    } else if (line.starts_with("```")) {
      inside = false;
    } else if (inside) {
      blocks.back() += line + '\n';
    }
  }
  return blocks;
}

wire::call call(std::string method, json::object parameters = {}) {
  return {.method = std::move(method), .parameters = std::move(parameters)};
}

wire::call description_of(const json::value& interface) {
  return call("org.varlink.service.GetInterfaceDescription", {{"interface", interface}});
}

}  // namespace

TEST_CASE("the documented interfaces are word for word those that the server returns") {
  const auto documented = documented_interfaces();
  REQUIRE(documented.size() == 3);
  for (const std::string& text : documented) {
    const auto name = graceful_test::parse_interface(text).name;
    const auto returned = wire::interface_description(name);
    REQUIRE(returned);
    CHECK(std::string{*returned} == text);
  }
}

TEST_CASE("GetInfo names the library, its version and every interface") {
  const auto reply = wire::answer_service_call(call("org.varlink.service.GetInfo"));
  REQUIRE(reply);
  CHECK(reply->error.empty());
  CHECK(reply->parameters.at("vendor") == "graceful");
  CHECK(reply->parameters.at("product") == "graceful");
  CHECK(reply->parameters.at("version") == GRACEFUL_VERSION_STRING);
  CHECK(reply->parameters.at("url").is_string());
  CHECK(reply->parameters.at("interfaces") ==
        json::array{"org.varlink.service", "io.graceful.Control", "io.graceful.Handoff"});
  CHECK(reply->parameters.size() == 5);
}

TEST_CASE("a supervisor offers its own interface, and not those of a server") {
  const auto role = wire::role::supervisor;
  const auto info = wire::answer_service_call(call("org.varlink.service.GetInfo"), role);
  CHECK(info->parameters.at("interfaces") ==
        json::array{"org.varlink.service", "io.graceful.Supervisor"});
  CHECK(wire::answer_service_call(description_of("io.graceful.Control"), role)->error ==
        "org.varlink.service.InterfaceNotFound");
  CHECK(wire::unknown_method(call("io.graceful.Supervisor.Nothing"), role).error ==
        "org.varlink.service.MethodNotFound");
  CHECK(wire::unknown_method(call("io.graceful.Supervisor.Status")).error ==
        "org.varlink.service.InterfaceNotFound");
}

TEST_CASE("every interface that GetInfo names has a description, with its own name") {
  const auto info = wire::answer_service_call(call("org.varlink.service.GetInfo"));
  for (const auto& name : info->parameters.at("interfaces").as_array()) {
    CAPTURE(name);
    const auto reply = wire::answer_service_call(description_of(name));
    REQUIRE(reply);
    CHECK(reply->error.empty());
    const auto& text = reply->parameters.at("description").as_string();
    CHECK(graceful_test::parse_interface(text).name == name.as_string());
  }
}

TEST_CASE("the interfaces define what the server speaks") {
  const auto control =
      graceful_test::parse_interface(*wire::interface_description("io.graceful.Control"));
  CHECK(control.methods == names{"Status", "Upgrade", "Plan", "Abort", "Commit", "Rollback",
                                 "Drain", "Monitor", "Metrics", "Watch"});
  CHECK(control.errors == names{"Busy", "NotReady", "UpgradeFailed", "NoUpgrade"});
  CHECK(control.types == names{"Listener", "Process", "Draining", "Obstacle"});
  const auto handoff =
      graceful_test::parse_interface(*wire::interface_description("io.graceful.Handoff"));
  CHECK(handoff.methods == names{"Begin", "Fetch", "Ready", "Settle", "Report", "Fail"});
  CHECK(handoff.types == names{"Totals"});
  CHECK(handoff.errors == names{"Busy", "IncompatibleVersion", "NotOnOffer", "NotExpected",
                                "OutOfOrder", "RolledBack", "Aborted"});
  const auto supervisor =
      graceful_test::parse_interface(*wire::interface_description("io.graceful.Supervisor"));
  CHECK(supervisor.methods == names{"Status", "Release", "Reexec"});
  CHECK(supervisor.errors == names{"ReexecFailed"});
  CHECK(supervisor.types == names{"Kept"});
  const auto service =
      graceful_test::parse_interface(*wire::interface_description("org.varlink.service"));
  CHECK(service.methods == names{"GetInfo", "GetInterfaceDescription"});
}

TEST_CASE("the check of the grammar tells right from wrong") {
  using graceful_test::parse_interface;
  CHECK_NOTHROW(parse_interface("interface a.b\nmethod M(x: ?[](y: int)) -> ()"));
  for (const char* wrong :
       {"", "interface a", "interface a.b\nmethod m() -> ()", "interface a.b\nmethod M()",
        "interface a.b\nmethod M(x) -> ()", "interface a.b\nmethod M(x: Unknown) -> ()",
        "interface a.b\ntype T (x: int,)", "interface a.b\nerror E", "interface a.b\nnoise",
        "interface a.b\ntype T (x: int, x: int)", "interface a.b\ntype T (x: ??int)"}) {
    CAPTURE(wrong);
    CHECK_THROWS(parse_interface(wrong));
  }
}

TEST_CASE("an unknown interface has no description") {
  CHECK_FALSE(wire::interface_description("io.graceful.Nothing"));
  CHECK_FALSE(wire::interface_description(""));
  const auto reply = wire::answer_service_call(description_of("io.graceful.Nothing"));
  REQUIRE(reply);
  CHECK(reply->error == "org.varlink.service.InterfaceNotFound");
  CHECK(reply->parameters.at("interface") == "io.graceful.Nothing");
}

TEST_CASE("GetInterfaceDescription needs the name of an interface") {
  for (const auto& request : {description_of(nullptr), description_of(1),
                              call("org.varlink.service.GetInterfaceDescription")}) {
    const auto reply = wire::answer_service_call(request);
    REQUIRE(reply);
    CHECK(reply->error == "org.varlink.service.InvalidParameter");
    CHECK(reply->parameters.at("parameter") == "interface");
  }
}

TEST_CASE("calls of other interfaces are not answered here") {
  CHECK_FALSE(wire::answer_service_call(call("io.graceful.Control.Status")));
  CHECK_FALSE(wire::answer_service_call(call("org.varlink.service.Nothing")));
}

TEST_CASE("the answer to an unknown call says whether the interface or the method is unknown") {
  auto reply = wire::unknown_method(call("io.graceful.Handoff.Nothing"));
  CHECK(reply.error == "org.varlink.service.MethodNotFound");
  CHECK(reply.parameters.at("method") == "io.graceful.Handoff.Nothing");
  reply = wire::unknown_method(call("org.example.Nothing"));
  CHECK(reply.error == "org.varlink.service.InterfaceNotFound");
  CHECK(reply.parameters.at("interface") == "org.example");
  for (const char* odd : {"", "Nothing", ".", "a."}) {
    CAPTURE(odd);
    CHECK(wire::unknown_method(call(odd)).error == "org.varlink.service.InterfaceNotFound");
  }
}
