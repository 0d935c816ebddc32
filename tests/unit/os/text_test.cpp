// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/text.hpp"

#include <doctest/doctest.h>

#include <string>

using graceful::character_length;
using graceful::is_text;
using graceful::to_text;

TEST_CASE("the length of a character is that of its bytes, and 0 where none begins") {
  CHECK(character_length("a") == 1);
  CHECK(character_length("\u00fc") == 2);
  CHECK(character_length("\u2713 and more") == 3);
  CHECK(character_length("\U0001f600") == 4);
  CHECK(character_length("") == 0);
  CHECK(character_length("\xfc") == 0);      // Latin-1
  CHECK(character_length("\xe2\x9c") == 0);  // cut short
}

TEST_CASE("bytes are text if every one of them belongs to a character") {
  CHECK(is_text(""));
  CHECK(is_text("gr\u00fcn \u2713 \U0001f600"));
  CHECK_FALSE(is_text("gr\xfcn"));
  CHECK_FALSE(is_text("\xc0\x80"));          // overlong
  CHECK_FALSE(is_text("\xed\xa0\x80"));      // a surrogate
  CHECK_FALSE(is_text("\xf4\x90\x80\x80"));  // beyond U+10FFFF
}

TEST_CASE("text stays as it is, and each byte that belongs to no character becomes U+FFFD") {
  CHECK(to_text("gr\u00fcn") == "gr\u00fcn");
  CHECK(to_text("gr\xfcn") == "gr\ufffdn");
  CHECK(to_text("\xe2\x9c") == "\ufffd\ufffd");
  CHECK(is_text(to_text(std::string(300, '\xff'))));
}
