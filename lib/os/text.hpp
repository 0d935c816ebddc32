// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <system_error>

/// UTF-8 (RFC 3629), and bytes that are not: paths, arguments and names may be any bytes.
namespace graceful {

/// The length of the character that `bytes` begins with; 0 if it begins with none.
[[nodiscard]] std::size_t character_length(std::string_view bytes);

/// True if `bytes` is valid UTF-8. A string that is not makes a message that no peer can parse.
[[nodiscard]] bool is_text(std::string_view bytes);

/// The same text, with U+FFFD in place of each byte that belongs to no character.
[[nodiscard]] std::string to_text(std::string bytes);

/// Makes text from another process safe for a log or a terminal: UTF-8 in which nothing moves a
/// cursor, changes the writing direction, or fakes a line. Such characters are replaced, and so are
/// bytes that belong to none; at most 2048 bytes are kept.
[[nodiscard]] std::string printable(std::string text);

/// The same for a text of several lines and any length.
[[nodiscard]] std::string printable_lines(std::string_view text);

namespace os {

/// What stands between the separators: one part more than there are separators.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

/// The number that makes up all of `text`; none if there is anything else, or it does not fit.
template <class Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || last != end) return {};
  return value;
}

}  // namespace os

}  // namespace graceful
