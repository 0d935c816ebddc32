// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/printable.hpp"

#include "os/text.hpp"

#include <algorithm>
#include <cstddef>

namespace graceful {

namespace {

constexpr std::size_t longest = 2048;

/// Characters that change the direction of the text around them (U+202A to U+202E, U+2066 to
/// U+2069) or begin a line (U+2028, U+2029).
bool moves_others(std::string_view character) {
  if (character.size() != 3 || !character.starts_with("\xe2")) return false;
  const auto second = static_cast<unsigned char>(character[1]);
  const auto third = static_cast<unsigned char>(character[2]);
  return (second == 0x80 && third >= 0xa8 && third <= 0xae) ||
         (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

bool is_control(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  if (character.size() == 1) return last < 0x20 || last == 0x7f;
  return character.size() == 2 && character.front() == '\xc2' && last < 0xa0;  // C1
}

/// Replaces what is not printable by '?'; keeps newlines if `lines`.
std::string made_printable(std::string_view text, bool lines) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto character = text.substr(at, character_length(text.substr(at)));
    const bool line = lines && character == "\n";
    if (!line && (character.empty() || is_control(character) || moves_others(character))) {
      result += '?';
    } else {
      result += character;
    }
    at += std::max<std::size_t>(character.size(), 1);
  }
  return result;
}

}  // namespace

std::string printable(std::string text) {
  text = made_printable(text, false);
  if (text.size() <= longest) return text;
  auto end = longest;  // moved back to where a character begins
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string printable_lines(std::string_view text) { return made_printable(text, true); }

}  // namespace graceful
