// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace graceful_test {

/// What a Varlink interface file defines.
struct interface_members {
  std::string name;
  std::set<std::string> types, methods, errors;
};

/// Parses with the grammar of https://varlink.org/Interface-Definition, written from that page and
/// not from our interfaces. Throws `std::runtime_error`, which quotes the place of the error.
interface_members parse_interface(std::string_view text);

}  // namespace graceful_test
