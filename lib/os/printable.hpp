// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PRINTABLE_HPP
#define GRACEFUL_OS_PRINTABLE_HPP

#include <string>
#include <string_view>

namespace graceful {

/// What another process says, for a log or a terminal: UTF-8 in which nothing moves a cursor, turns
/// the direction of writing, or fakes a line. Such characters are replaced, and so is what is no
/// character; at most 2048 bytes are left.
[[nodiscard]] std::string printable(std::string text);

/// The same of a text of any length that has lines.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace graceful

#endif
