// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Typed access to the parameters of a message: none where a field is absent (or null) or has
/// another type.
namespace graceful::wire {

namespace json = boost::json;

/// A count as Varlink sends it: its numbers are signed, and our counts are far below 2^63.
[[nodiscard]] constexpr std::int64_t number(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

/// True if the field is present and not null: Varlink treats a null as an absent field.
[[nodiscard]] bool has_field(const json::object& o, std::string_view key);

[[nodiscard]] std::optional<std::int64_t> int_field(const json::object& o, std::string_view key);

/// A number that must not be negative.
[[nodiscard]] std::optional<std::uint64_t> count_field(const json::object& o, std::string_view key);

[[nodiscard]] std::optional<bool> bool_field(const json::object& o, std::string_view key);

/// False if the field is absent.
[[nodiscard]] std::optional<bool> flag_field(const json::object& o, std::string_view key);

[[nodiscard]] std::optional<std::string> string_field(const json::object& o, std::string_view key);

}  // namespace graceful::wire
