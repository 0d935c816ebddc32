// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/printable.hpp"

#include "os/text.hpp"

#include <doctest/doctest.h>

#include <string>

using graceful::printable;

TEST_CASE("text is unchanged, even beyond ASCII") {
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
