// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/varlink.hpp"

#include "os/text.hpp"
#include "wire/fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace graceful::wire {

namespace {

std::optional<json::object> parse_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = max_depth;
  boost::system::error_code ec;
  json::value value = json::parse(text, ec, {}, options);
  if (ec || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

/// The object's parameters; none if they are present but not an object.
std::optional<json::object> take_parameters(json::object& message) {
  json::value* value = message.if_contains("parameters");
  if (value == nullptr || value->is_null()) return json::object{};
  if (!value->is_object()) return std::nullopt;
  return std::move(value->get_object());
}

/// The serialiser passes on bytes that are not UTF-8, from a path, an argument or a name. A peer
/// would then end the connection.
std::string to_bytes(const json::object& message) {
  return to_text(json::serialize(message)) + '\0';
}

}  // namespace

std::optional<call> parse_call(std::string_view text) {
  auto message = parse_object(text);
  if (!message) return std::nullopt;
  const json::value* method = message->if_contains("method");
  if (method == nullptr || !method->is_string()) return std::nullopt;
  const auto more = flag_field(*message, "more");
  const auto oneway = flag_field(*message, "oneway");
  auto parameters = take_parameters(*message);
  if (!more || !oneway || !parameters) return std::nullopt;
  return call{.method = std::string{method->get_string()},
              .parameters = std::move(*parameters),
              .more = *more,
              .oneway = *oneway};
}

std::optional<reply> parse_reply(std::string_view text) {
  auto message = parse_object(text);
  if (!message) return std::nullopt;
  const auto continues = flag_field(*message, "continues");
  auto parameters = take_parameters(*message);
  if (!continues || !parameters) return std::nullopt;
  reply r{.parameters = std::move(*parameters), .error = {}, .continues = *continues};
  if (const json::value* error = message->if_contains("error"); error != nullptr) {
    if (!error->is_string() || error->get_string().empty()) return std::nullopt;
    r.error = error->get_string();
  }
  return r;
}

reply to_error(std::string_view error, std::string_view text, std::string_view key) {
  return {.parameters = {{key, text}}, .error = std::string{error}};
}

reply invalid(std::string_view parameter) {
  return to_error(invalid_parameter, parameter, "parameter");
}

std::string to_message(const call& c) {
  json::object message;
  message["method"] = c.method;
  if (!c.parameters.empty()) message["parameters"] = c.parameters;
  if (c.more) message["more"] = true;
  if (c.oneway) message["oneway"] = true;
  return to_bytes(message);
}

std::string to_message(const reply& r) {
  json::object message;
  if (!r.error.empty()) message["error"] = r.error;
  message["parameters"] = r.parameters;
  if (r.continues) message["continues"] = true;
  return to_bytes(message);
}

}  // namespace graceful::wire
