// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTS_UNIT_WIRE_INTERFACE_GRAMMAR_HPP
#define GRACEFUL_TESTS_UNIT_WIRE_INTERFACE_GRAMMAR_HPP

#include <set>
#include <string>
#include <string_view>

namespace graceful_test {

/// What a Varlink interface file defines.
struct interface_members {
  std::string name;
  std::set<std::string> types, methods, errors;
};

/// Parses by the grammar of https://varlink.org/Interface-Definition, written from there and not
/// from our interfaces. Throws `std::runtime_error` that quotes where it went wrong.
interface_members parse_interface(std::string_view text);

}  // namespace graceful_test

#endif
