// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PRINTABLE_HPP
#define GRACEFUL_OS_PRINTABLE_HPP

#include <string>
#include <string_view>

namespace graceful {

/// Makes text from another process safe for a log or a terminal: UTF-8 in which nothing moves a
/// cursor, changes the writing direction, or fakes a line. Such characters are replaced, and so are
/// bytes that belong to none; at most 2048 bytes are kept.
[[nodiscard]] std::string printable(std::string text);

/// The same for a text of several lines and any length.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace graceful

#endif
