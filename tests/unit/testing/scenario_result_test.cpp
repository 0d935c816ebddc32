// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/scenario_result.hpp>

#include <doctest/doctest.h>

#include <sstream>

using graceful::testing::scenario_result;

TEST_CASE("a scenario that kept all promises has passed, and needs no report") {
  scenario_result result{"rollback"};
  CHECK(result);
  CHECK(result.expect(true, "nobody is refused", "never looked at"));
  result.explain("the report\n");
  CHECK(result.passed());
  CHECK(result.to_string() == "rollback: passed\n  kept:   nobody is refused\n");
}

TEST_CASE(
    "one broken promise fails a scenario, whatever is kept afterwards, and says what was seen") {
  scenario_result result{"rollback"};
  CHECK(result.expect(true, "one", ""));
  CHECK_FALSE(result.expect(false, "nobody is refused", "refused: 3"));
  CHECK(result.expect(true, "three", ""));
  result.explain("the report\n");
  CHECK_FALSE(result);
  CHECK_FALSE(result.passed());
  std::ostringstream text;
  text << result;
  CHECK(text.str() ==
        "rollback: failed\n"
        "  kept:   one\n"
        "  BROKEN: nobody is refused\n"
        "          seen: refused: 3\n"
        "  kept:   three\n"
        "the report\n");
}
