// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CLI_STYLE_HPP
#define GRACEFUL_CLI_STYLE_HPP

#include <string>
#include <string_view>

namespace graceful::cli {

/// What a terminal can show. Without any of it everything can still be read.
struct style {
  bool colour = false;
  bool utf8 = false;
};

enum class tone { plain, success, failure, dim };

/// The text in the colour of its tone, if there are colours.
std::string paint(std::string text, tone t, const style& s);

/// Whether a line of a terminal of this kind (TERM) can be drawn again.
bool can_redraw(std::string_view term);

/// What can be shown on a terminal of this kind, where NO_COLOR has this value and the locale this
/// codeset (nl_langinfo(3)). https://no-color.org: an empty NO_COLOR is none.
style style_of(std::string_view term, std::string_view no_color, std::string_view codeset);

}  // namespace graceful::cli

#endif
