// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/text.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using graceful::character_length;
using graceful::is_text;
using graceful::printable;
using graceful::to_text;
using graceful::os::split;
using graceful::os::whole_number;
using strings = std::vector<std::string>;

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

TEST_CASE("printable text is unchanged, even beyond ASCII") {
  CHECK(printable("a successor, grün ✓") == "a successor, grün ✓");
  CHECK(printable("").empty());
}

TEST_CASE("characters that a terminal would obey are replaced") {
  CHECK(printable("a\x1b[2Jb\nc\x7f") == "a?[2Jb?c?");
  CHECK(printable("\xc2\x9b"
                  "31m") == "?31m");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");
}

TEST_CASE("characters that change the text direction, or begin a line, are replaced") {
  CHECK(printable("exe.\u202egpj") == "exe.?gpj");
  CHECK(printable("a\u2066b\u2069c\u2028d") == "a?b?c?d");
  CHECK(printable("\u2013\u2026") == "\u2013\u2026");
}

TEST_CASE("bytes that are not UTF-8 are replaced one by one") {
  CHECK(printable("gr\xfcn") == "gr?n");
  CHECK(printable("\xe2\x9c") == "??");
}

TEST_CASE("a long text is cut, between two characters") {
  CHECK(printable(std::string(5000, 'x')).size() == 2048);
  std::string text = "x";
  for (int i = 0; i < 2000; ++i) text += "\u00fc";
  CHECK(graceful::is_text(printable(text)));
  CHECK(printable(text).size() == 2047);
}

TEST_CASE("text with several lines keeps them, and its length") {
  CHECK(graceful::printable_lines("a\nb\x1b[2J\n") == "a\nb?[2J\n");
  CHECK(graceful::printable_lines(std::string(5000, 'x')).size() == 5000);
}

TEST_CASE("any bytes can be made UTF-8, and valid UTF-8 is unchanged") {
  CHECK(graceful::to_text("grün ✓ \U0001f600") == "grün ✓ \U0001f600");
  CHECK(graceful::to_text("gr\xfcn") == "gr\ufffdn");
  CHECK(graceful::to_text("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");  // a surrogate
  CHECK(graceful::to_text("\xc0\x80\xf4\x90\x80\x80").size() == 6 * 3);
  CHECK(graceful::to_text("").empty());
}

TEST_CASE("text is split at every separator, and parts may be empty") {
  CHECK(split("a:bc:d", ':') == strings{"a", "bc", "d"});
  CHECK(split(":a:", ':') == strings{"", "a", ""});
  CHECK(split("", ':') == strings{""});
}

TEST_CASE("a number is read only if it is all of the text, and fits") {
  CHECK(whole_number<int>("-12") == -12);
  CHECK(whole_number<unsigned char>("fF", 16) == 255);
  for (const char* wrong : {"", " 1", "1 ", "+1", "1.5", "0x1", "256", "-1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(whole_number<std::uint8_t>(wrong));
  }
}
