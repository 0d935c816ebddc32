// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "printable.hpp"

#include <doctest/doctest.h>

#include <string>

using graceful::printable;

TEST_CASE("text stays as it is, also beyond ASCII") {
  CHECK(printable("a successor, grün ✓") == "a successor, grün ✓");
  CHECK(printable("").empty());
}

TEST_CASE("what a terminal would obey is replaced") {
  CHECK(printable("a\x1b[2Jb\nc\x7f") == "a?[2Jb?c?");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\xc2?31m");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");
}

TEST_CASE("a long text is cut") { CHECK(printable(std::string(5000, 'x')).size() == 2048); }
