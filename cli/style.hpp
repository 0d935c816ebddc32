// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <string>
#include <string_view>

namespace graceful::cli {

/// What a terminal can show. Everything can be read without any of it.
struct style {
  bool colour = false;
  bool utf8 = false;
};

enum class tone { plain, success, failure, dim };

/// The text in the colour of its tone, if there are colours.
std::string paint(std::string text, tone t, const style& s);

/// Whether a terminal of this kind (TERM) can redraw a line.
bool can_redraw(std::string_view term);

/// What a terminal of this kind can show, with this value of NO_COLOR and this codeset of the
/// locale (nl_langinfo(3)). https://no-color.org: an empty NO_COLOR does not count.
style style_of(std::string_view term, std::string_view no_color, std::string_view codeset);

}  // namespace graceful::cli
