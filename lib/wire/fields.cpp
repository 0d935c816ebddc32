// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/fields.hpp"

#include <boost/json/value.hpp>

#include <limits>
#include <utility>

namespace graceful::wire {

bool has_field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  return value != nullptr && !value->is_null();
}

std::optional<std::int64_t> int_field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

std::optional<std::uint64_t> count_field(const json::object& o, std::string_view key) {
  const auto value = int_field(o, key);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<bool> bool_field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::optional<bool> flag_field(const json::object& o, std::string_view key) {
  return has_field(o, key) ? bool_field(o, key) : false;
}

std::optional<std::string> string_field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string{value->get_string()};
}

std::optional<std::vector<std::string>> strings_field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  if (value == nullptr || !value->is_array()) return std::nullopt;
  std::vector<std::string> strings;
  strings.reserve(value->get_array().size());
  for (const json::value& element : value->get_array()) {
    if (!element.is_string()) return std::nullopt;
    strings.emplace_back(element.get_string());
  }
  return strings;
}

}  // namespace graceful::wire
