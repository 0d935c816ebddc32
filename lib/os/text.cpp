// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/text.hpp"

#include <algorithm>

namespace graceful {

namespace {

constexpr std::size_t longest_printed = 2048;

constexpr unsigned byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

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

/// The text, with `replacement` for each byte that belongs to no character, and for each character
/// that is `unwanted`.
template <class Unwanted>
std::string replaced(std::string_view text, std::string_view replacement, Unwanted unwanted) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto character = text.substr(at, character_length(text.substr(at)));
    result += character.empty() || unwanted(character) ? replacement : character;
    at += std::max<std::size_t>(character.size(), 1);
  }
  return result;
}

bool is_unprintable(std::string_view character) {
  return is_control(character) || moves_others(character);
}

}  // namespace

std::size_t character_length(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const unsigned lead = byte_at(bytes, 0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xc2   ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || bytes.size() < length) return 0;
  // No overlong form, no surrogate, nothing beyond U+10FFFF.
  const unsigned least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte_at(bytes, 1) < least || byte_at(bytes, 1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(bytes, i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

bool is_text(std::string_view bytes) {
  while (const auto length = character_length(bytes)) bytes.remove_prefix(length);
  return bytes.empty();
}

std::string to_text(std::string bytes) {
  if (is_text(bytes)) return bytes;
  return replaced(bytes, "\xef\xbf\xbd", [](std::string_view) { return false; });
}

std::string printable(std::string text) {
  text = replaced(text, "?", is_unprintable);
  if (text.size() <= longest_printed) return text;
  auto end = longest_printed;  // moved back to where a character begins
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string printable_lines(std::string_view text) {
  return replaced(text, "?", [](std::string_view character) {
    return character != "\n" && is_unprintable(character);
  });
}

std::vector<std::string> os::split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace graceful
