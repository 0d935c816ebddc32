// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// io.graceful.Control.Plan, which control_messages.hpp declares with the others.
#include "wire/control_messages.hpp"
#include "wire/fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <utility>

namespace graceful::wire {

namespace {

std::optional<upgrade_obstacle> parse_obstacle(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  auto kind = string_field(value.get_object(), "kind");
  auto message = string_field(value.get_object(), "message");
  if (!kind || !message) return std::nullopt;
  return upgrade_obstacle{std::move(*kind), std::move(*message)};
}

/// False if `parse` cannot read an element.
template <class Element, class Parse>
bool parse_all(const json::object& o, const char* key, std::vector<Element>& into, Parse parse) {
  const json::value* const array = o.if_contains(key);
  if (array == nullptr || !array->is_array()) return false;
  for (const json::value& value : array->get_array()) {
    auto element = parse(value);
    if (!element) return false;
    into.push_back(std::move(*element));
  }
  return true;
}

}  // namespace

call to_plan_call(const upgrade_request& m) {
  call c = to_call(m);
  c.method = plan_method;
  c.more = false;
  return c;
}

std::optional<upgrade_plan> parse_plan(const json::object& parameters) {
  auto program = string_field(parameters, "program");
  auto arguments = strings_field(parameters, "arguments");
  auto directory = string_field(parameters, "directory");
  const auto generation = count_field(parameters, "generation");
  const auto timeout = count_field(parameters, "timeout_ms");
  const auto probation = count_field(parameters, "probation_ms");
  const json::value* const environment = parameters.if_contains("environment");
  if (!program || !arguments || !directory || !generation || !timeout || !probation ||
      environment == nullptr || !environment->is_object()) {
    return std::nullopt;
  }
  upgrade_plan m{.program = std::move(*program),
                 .arguments = std::move(*arguments),
                 .directory = std::move(*directory),
                 .generation = *generation,
                 .timeout = std::chrono::milliseconds{*timeout},
                 .probation = std::chrono::milliseconds{*probation}};
  for (const auto& [key, value] : environment->get_object()) {
    if (!value.is_string()) return std::nullopt;
    m.environment.emplace(key, value.get_string());
  }
  if (!parse_all(parameters, "listeners", m.listeners, parse_listener) ||
      !parse_all(parameters, "obstacles", m.obstacles, parse_obstacle)) {
    return std::nullopt;
  }
  return m;
}

reply to_reply(const upgrade_plan& m) {
  reply r;
  r.parameters["program"] = m.program;
  json::array arguments;
  for (const auto& argument : m.arguments) arguments.emplace_back(argument);
  r.parameters["arguments"] = std::move(arguments);
  r.parameters["directory"] = m.directory;
  json::object environment;
  for (const auto& [key, value] : m.environment) environment[key] = value;
  r.parameters["environment"] = std::move(environment);
  r.parameters["generation"] = number(m.generation);
  r.parameters["timeout_ms"] = m.timeout.count();
  r.parameters["probation_ms"] = m.probation.count();
  json::array listeners;
  for (const auto& listener : m.listeners) listeners.push_back(to_object(listener));
  r.parameters["listeners"] = std::move(listeners);
  json::array obstacles;
  for (const auto& obstacle : m.obstacles) {
    obstacles.push_back(json::object{{"kind", obstacle.kind}, {"message", obstacle.message}});
  }
  r.parameters["obstacles"] = std::move(obstacles);
  return r;
}

}  // namespace graceful::wire
