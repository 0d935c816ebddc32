// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/fields.hpp"

#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

namespace wire = graceful::wire;

const auto& fields() {
  static const auto all =
      boost::json::parse(R"({"null":null,"int":-7,"count":7,"real":1.5,"yes":true,)"
                         R"("text":"web"})")
          .as_object();
  return all;
}

}  // namespace

TEST_CASE("a field that is null is not there") {
  CHECK(wire::has_field(fields(), "text"));
  CHECK_FALSE(wire::has_field(fields(), "null"));
  CHECK_FALSE(wire::has_field(fields(), "missing"));
}

TEST_CASE("a field has a value only if it is of the type that is asked for") {
  CHECK(wire::int_field(fields(), "int") == -7);
  CHECK_FALSE(wire::int_field(fields(), "real"));
  CHECK_FALSE(wire::int_field(fields(), "text"));
  CHECK(wire::count_field(fields(), "count") == 7U);
  CHECK_FALSE(wire::count_field(fields(), "int"));
  CHECK(wire::bool_field(fields(), "yes") == true);
  CHECK_FALSE(wire::bool_field(fields(), "count"));
  CHECK(wire::string_field(fields(), "text") == "web");
  CHECK_FALSE(wire::string_field(fields(), "yes"));
}

TEST_CASE("a flag that is missing is false, and one of another type is none") {
  CHECK(wire::flag_field(fields(), "yes") == true);
  CHECK(wire::flag_field(fields(), "missing") == false);
  CHECK(wire::flag_field(fields(), "null") == false);
  CHECK_FALSE(wire::flag_field(fields(), "text"));
}
