// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace graceful_test {

/// Equal, except for the last digits of fractions: Boost.JSON reads them fast rather than exactly,
/// and none of our messages has any.
inline bool match(const boost::json::value& a, const boost::json::value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_object()) {
    const auto& of_b = b.get_object();
    return a.get_object().size() == of_b.size() &&
           std::ranges::all_of(a.get_object(), [&](const auto& each) {
             const auto* other = of_b.if_contains(each.key());
             return other != nullptr && match(each.value(), *other);
           });
  }
  if (a.is_array()) {
    return std::ranges::equal(a.get_array(), b.get_array(),
                              [](const auto& x, const auto& y) { return match(x, y); });
  }
  if (!a.is_double() || a == b) return a == b;
  const double x = a.get_double();
  const double y = b.get_double();
  return std::abs(x - y) <= 1e-14 * std::abs(x) + std::numeric_limits<double>::min();
}

}  // namespace graceful_test
