// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "printable.hpp"

namespace graceful {

namespace {

constexpr std::size_t longest = 2048;

}  // namespace

std::string printable(std::string text) {
  if (text.size() > longest) text.resize(longest);
  bool leads = false;  // the byte before begins U+0080 to U+00BF
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool c1 = leads && byte < 0xa0;
    leads = byte == 0xc2;
    if (byte < 0x20 || byte == 0x7f || c1) c = '?';
  }
  return text;
}

}  // namespace graceful
