// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_TEXT_HPP
#define GRACEFUL_OS_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

/// UTF-8 (RFC 3629), and what is none: paths, arguments and names are any bytes.
namespace graceful {

/// How long the character is with which `bytes` begin; 0 if they begin with none.
[[nodiscard]] std::size_t character_length(std::string_view bytes);

/// A string that is not makes a message that no peer can parse.
[[nodiscard]] bool is_text(std::string_view bytes);

/// The same, with U+FFFD in the place of each byte that is of no character.
[[nodiscard]] std::string to_text(std::string bytes);

}  // namespace graceful

#endif
