// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "style.hpp"

#include <doctest/doctest.h>

using namespace graceful::cli;

TEST_CASE("a dumb terminal, or one without a name, redraws no line and has no colours") {
  CHECK(can_redraw("xterm-256color"));
  CHECK(can_redraw("vt100"));
  CHECK_FALSE(can_redraw("dumb"));
  CHECK_FALSE(can_redraw(""));
  CHECK_FALSE(style_of("dumb", "", "UTF-8").colour);
  CHECK_FALSE(style_of("", "", "UTF-8").colour);
}

TEST_CASE("colours are for terminals that have them, unless NO_COLOR has a value") {
  CHECK(style_of("xterm", "", "").colour);
  CHECK(style_of("vte-256color", "", "").colour);
  CHECK_FALSE(style_of("xterm", "1", "").colour);
  CHECK_FALSE(style_of("xterm", "0", "").colour);  // any value
  CHECK_FALSE(style_of("vt220", "", "").colour);
  CHECK_FALSE(style_of("xterm-mono", "", "").colour);
  CHECK_FALSE(style_of("linux-m", "", "").colour);
}

TEST_CASE("the locale decides whether a bar can be made of blocks") {
  CHECK(style_of("xterm", "", "UTF-8").utf8);
  CHECK_FALSE(style_of("xterm", "", "ANSI_X3.4-1968").utf8);
}

TEST_CASE("paint adds nothing without colours, and ends each colour that it begins") {
  CHECK(paint("done", tone::success, {}) == "done");
  CHECK(paint("done", tone::success, {.colour = true}) == "\x1b[32mdone\x1b[0m");
  CHECK(paint("cut", tone::failure, {.colour = true}) == "\x1b[31mcut\x1b[0m");
  CHECK(paint("+1 ms", tone::dim, {.colour = true}) == "\x1b[2m+1 ms\x1b[0m");
  CHECK(paint("done", tone::plain, {.colour = true}) == "done");
  CHECK(paint("", tone::success, {.colour = true}).empty());
}
