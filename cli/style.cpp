// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "style.hpp"

namespace graceful::cli {

namespace {

/// Terminals with cursor movement but no colours: DEC's own, and those that call themselves
/// monochrome.
bool monochrome(std::string_view term) {
  const bool dec = term.size() > 2 && term.starts_with("vt") && term[2] >= '0' && term[2] <= '9';
  return dec || term.ends_with("-m") || term.ends_with("-mono");
}

}  // namespace

std::string paint(std::string text, tone t, const style& s) {
  if (!s.colour || t == tone::plain || text.empty()) return text;
  const char* const begin = t == tone::success   ? "\x1b[32m"
                            : t == tone::failure ? "\x1b[31m"
                                                 : "\x1b[2m";
  return begin + std::move(text) + "\x1b[0m";
}

bool can_redraw(std::string_view term) { return !term.empty() && term != "dumb"; }

style style_of(std::string_view term, std::string_view no_color, std::string_view codeset) {
  return {.colour = can_redraw(term) && !monochrome(term) && no_color.empty(),
          .utf8 = codeset == "UTF-8"};
}

}  // namespace graceful::cli
