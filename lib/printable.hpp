// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_PRINTABLE_HPP
#define GRACEFUL_LIB_PRINTABLE_HPP

#include <string>

namespace graceful {

/// What another process says, for a log or a terminal: nothing in it moves a cursor or fakes a
/// line. Control characters are replaced, those of C1 in UTF-8 too; at most 2048 bytes are left.
[[nodiscard]] std::string printable(std::string text);

}  // namespace graceful

#endif
