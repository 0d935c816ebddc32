// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/interfaces.hpp"

#include <graceful/version.hpp>

#include "wire/fields.hpp"

#include "interface_texts.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace graceful::wire {

namespace {

constexpr std::string_view service_interface = R"(# Describes a Varlink service.
interface org.varlink.service

# Describes the service and lists its interfaces.
method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# Returns the description of one interface.
method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)
error MethodNotFound (method: string)
error MethodNotImplemented (method: string)
error InvalidParameter (parameter: string)
error PermissionDenied ()
error ExpectedMore ()
)";

struct interface_entry {
  std::string_view name;
  std::string_view description;
  bool of_server;
  bool of_supervisor;
};

constexpr std::array<interface_entry, 4> interfaces{{
    {"org.varlink.service", service_interface, true, true},
    {"io.graceful.Control", interface_texts::control, true, false},
    {"io.graceful.Handoff", interface_texts::handoff, true, false},
    {"io.graceful.Supervisor", interface_texts::supervisor, false, true},
}};

bool is_of(const interface_entry& each, role who) {
  return who == role::supervisor ? each.of_supervisor : each.of_server;
}

bool offers(role who, std::string_view name) {
  return std::ranges::any_of(
      interfaces, [&](const auto& each) { return each.name == name && is_of(each, who); });
}

}  // namespace

std::optional<std::string_view> interface_description(std::string_view name) {
  for (const auto& each : interfaces) {
    if (each.name == name) return each.description;
  }
  return {};
}

std::optional<reply> answer_service_call(const call& c, role who) {
  reply r;
  if (c.method == "org.varlink.service.GetInfo") {
    r.parameters["vendor"] = "graceful";
    r.parameters["product"] = "graceful";
    r.parameters["version"] = GRACEFUL_VERSION_STRING;
    r.parameters["url"] = "";
    json::array names;
    for (const auto& each : interfaces) {
      if (is_of(each, who)) names.emplace_back(each.name);
    }
    r.parameters["interfaces"] = std::move(names);
    return r;
  }
  if (c.method == "org.varlink.service.GetInterfaceDescription") {
    const auto name = string_field(c.parameters, "interface");
    if (!name) return invalid("interface");
    const auto description = interface_description(*name);
    if (!description || !offers(who, *name))
      return to_error(interface_not_found, *name, "interface");
    r.parameters["description"] = *description;
    return r;
  }
  return {};
}

reply unknown_method(const call& c, role who) {
  const auto dot = c.method.rfind('.');
  const auto interface = c.method.substr(0, dot == std::string::npos ? 0 : dot);
  if (offers(who, interface)) return to_error(method_not_found, c.method, "method");
  return to_error(interface_not_found, interface, "interface");
}

}  // namespace graceful::wire
