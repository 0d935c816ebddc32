// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_TEXT_HPP
#define GRACEFUL_OS_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

/// UTF-8 (RFC 3629), and bytes that are not: paths, arguments and names may be any bytes.
namespace graceful {

/// The length of the character that `bytes` begins with; 0 if it begins with none.
[[nodiscard]] std::size_t character_length(std::string_view bytes);

/// True if `bytes` is valid UTF-8. A string that is not makes a message that no peer can parse.
[[nodiscard]] bool is_text(std::string_view bytes);

/// The same text, with U+FFFD in place of each byte that belongs to no character.
[[nodiscard]] std::string to_text(std::string bytes);

}  // namespace graceful

#endif
