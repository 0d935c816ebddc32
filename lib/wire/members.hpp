// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "wire/varlink.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

/// A message is described once, by a table of its members, which is read in both directions:
///
///     template <>
///     inline constexpr auto members<fetch> = std::tuple{required("first", &fetch::first)};
///
/// Integers that are unsigned here, and durations, are not negative.
namespace graceful::wire {

namespace json = boost::json;

/// A member of the message M: its name in JSON, and what happens if it is empty or invalid.
template <class M, class T>
struct member {
  std::string_view key;
  T M::*value;
  bool always_sent = true;      // even if it is empty, 0 or false
  bool may_be_missing = false;  // absent or null means the default
  bool may_be_wrong = false;    // so does a value of another type
};

/// Every sender sends it.
template <class M, class T>
constexpr member<M, T> required(std::string_view key, T M::*value) {
  return {key, value};
}

/// Sent if it is not empty.
template <class M, class T>
constexpr member<M, T> optional(std::string_view key, T M::*value) {
  return {key, value, false, true};
}

/// The same; an invalid value does not make the message fail.
template <class M, class T>
constexpr member<M, T> lenient(std::string_view key, T M::*value) {
  return {key, value, false, true, true};
}

/// Older senders do not send it.
template <class M, class T>
constexpr member<M, T> newer(std::string_view key, T M::*value) {
  return {key, value, true, true};
}

/// The same; an invalid value does not make the message fail.
template <class M, class T>
constexpr member<M, T> informative(std::string_view key, T M::*value) {
  return {key, value, true, true, true};
}

template <class M>
inline constexpr auto members = nullptr;

template <class M>
concept described = !std::is_null_pointer_v<std::remove_const_t<decltype(members<M>)>>;

/// The method that is called by sending an M.
template <class M>
inline constexpr std::string_view method_of;

/// How a type is represented in JSON. `get` returns false if a value has another type.
template <class T>
struct codec;

template <>
struct codec<bool> {
  static bool get(const json::value& from, bool& to) {
    if (!from.is_bool()) return false;
    to = from.get_bool();
    return true;
  }
  static json::value put(bool from) { return from; }
};

template <>
struct codec<std::int64_t> {
  static bool get(const json::value& from, std::int64_t& to) {
    if (!from.is_int64()) return false;
    to = from.get_int64();
    return true;
  }
  static json::value put(std::int64_t from) { return from; }
};

/// Varlink's numbers are signed, and our counts are far below 2^63.
template <>
struct codec<std::uint64_t> {
  static bool get(const json::value& from, std::uint64_t& to) {
    if (!from.is_int64() || from.get_int64() < 0) return false;
    to = static_cast<std::uint64_t>(from.get_int64());
    return true;
  }
  static json::value put(std::uint64_t from) { return static_cast<std::int64_t>(from); }
};

template <>
struct codec<std::string> {
  static bool get(const json::value& from, std::string& to) {
    if (!from.is_string()) return false;
    to = from.get_string();
    return true;
  }
  static json::value put(const std::string& from) { return json::string{from}; }
};

template <class Rep, class Period>
struct codec<std::chrono::duration<Rep, Period>> {
  using duration = std::chrono::duration<Rep, Period>;
  static bool get(const json::value& from, duration& to) {
    std::uint64_t count = 0;
    if (!codec<std::uint64_t>::get(from, count)) return false;
    to = duration{static_cast<Rep>(count)};
    return true;
  }
  static json::value put(const duration& from) { return static_cast<std::int64_t>(from.count()); }
};

template <class T>
struct codec<std::optional<T>> {
  static bool get(const json::value& from, std::optional<T>& to) {
    return codec<T>::get(from, to.emplace());
  }
  static json::value put(const std::optional<T>& from) {
    return from ? codec<T>::put(*from) : json::value{};
  }
};

template <class T>
struct codec<std::vector<T>> {
  static bool get(const json::value& from, std::vector<T>& to) {
    if (!from.is_array()) return false;
    to.reserve(from.get_array().size());
    for (const json::value& each : from.get_array()) {
      if (!codec<T>::get(each, to.emplace_back())) return false;
    }
    return true;
  }
  static json::value put(const std::vector<T>& from) {
    json::array array;
    array.reserve(from.size());
    for (const auto& each : from) array.push_back(codec<T>::put(each));
    return array;
  }
};

template <class T, class Less>
struct codec<std::map<std::string, T, Less>> {
  using map = std::map<std::string, T, Less>;
  static bool get(const json::value& from, map& to) {
    if (!from.is_object()) return false;
    for (const auto& [key, each] : from.get_object()) {
      if (!codec<T>::get(each, to[std::string{key}])) return false;
    }
    return true;
  }
  static json::value put(const map& from) {
    json::object object;
    for (const auto& [key, each] : from) object[key] = codec<T>::put(each);
    return object;
  }
};

/// False if the member makes the message invalid.
template <class M, class T>
bool read_member(const json::object& o, const member<M, T>& which, M& m) {
  const json::value* const value = o.if_contains(which.key);
  if (value == nullptr || value->is_null()) return which.may_be_missing;
  if (codec<T>::get(*value, m.*which.value)) return true;
  m.*which.value = T{};
  return which.may_be_wrong;
}

template <class T>
bool is_empty(const T& value) {
  if constexpr (requires { value.empty(); }) return value.empty();
  if constexpr (requires { value.has_value(); }) return !value.has_value();
  if constexpr (std::is_arithmetic_v<T>) return value == T{};
  return false;
}

template <class M, class T>
void write_member(json::object& o, const member<M, T>& which, const M& m) {
  if (!which.always_sent && is_empty(m.*which.value)) return;
  o[which.key] = codec<T>::put(m.*which.value);
}

template <described M>
[[nodiscard]] bool read(const json::object& o, M& m) {
  return std::apply([&](const auto&... each) { return (read_member(o, each, m) && ...); },
                    members<M>);
}

template <described M>
[[nodiscard]] json::object write(const M& m) {
  json::object o;
  std::apply([&](const auto&... each) { (write_member(o, each, m), ...); }, members<M>);
  return o;
}

template <described M>
struct codec<M> {
  static bool get(const json::value& from, M& to) {
    return from.is_object() && read(from.get_object(), to);
  }
  static json::value put(const M& from) { return write(from); }
};

/// None if a member is missing, or has another type, and must not.
template <described M>
[[nodiscard]] std::optional<M> parse(const json::object& parameters) {
  M m{};
  if (!read(parameters, m)) return std::nullopt;
  return m;
}

template <described M>
[[nodiscard]] call to_call(const M& m, std::string_view method = method_of<M>) {
  return {.method = std::string{method}, .parameters = write(m)};
}

template <described M>
[[nodiscard]] reply to_reply(const M& m) {
  return {.parameters = write(m), .error = {}};
}

}  // namespace graceful::wire
