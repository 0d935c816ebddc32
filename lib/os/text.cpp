// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/text.hpp"

#include <algorithm>

namespace graceful {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

constexpr unsigned byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

/// The length in bytes of the well-formed characters at the beginning.
std::size_t text_length(std::string_view bytes) {
  std::size_t length = 0;
  while (length < bytes.size()) {
    const auto next = character_length(bytes.substr(length));
    if (next == 0) break;
    length += next;
  }
  return length;
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

bool is_text(std::string_view bytes) { return text_length(bytes) == bytes.size(); }

std::string to_text(std::string bytes) {
  std::string_view rest = bytes;
  auto good = text_length(rest);
  if (good == rest.size()) return bytes;
  std::string text;
  text.reserve(bytes.size() + 2 * replacement.size());
  for (;;) {
    text += rest.substr(0, good);
    rest.remove_prefix(good);
    if (rest.empty()) return text;
    text += replacement;
    rest.remove_prefix(1);
    good = text_length(rest);
  }
}

}  // namespace graceful
