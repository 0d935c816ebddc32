// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/fields.hpp"

#include "wire/members.hpp"

namespace graceful::wire {

namespace {

template <class T>
std::optional<T> field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  T found{};
  if (value == nullptr || !codec<T>::get(*value, found)) return std::nullopt;
  return found;
}

}  // namespace

bool has_field(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  return value != nullptr && !value->is_null();
}

std::optional<std::int64_t> int_field(const json::object& o, std::string_view key) {
  return field<std::int64_t>(o, key);
}

std::optional<std::uint64_t> count_field(const json::object& o, std::string_view key) {
  return field<std::uint64_t>(o, key);
}

std::optional<bool> bool_field(const json::object& o, std::string_view key) {
  return field<bool>(o, key);
}

std::optional<bool> flag_field(const json::object& o, std::string_view key) {
  return has_field(o, key) ? bool_field(o, key) : false;
}

std::optional<std::string> string_field(const json::object& o, std::string_view key) {
  return field<std::string>(o, key);
}

}  // namespace graceful::wire
