// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_WHOLE_NUMBER_HPP
#define GRACEFUL_OS_WHOLE_NUMBER_HPP

#include <charconv>
#include <optional>
#include <string_view>

#include <system_error>

namespace graceful::os {

/// The number that makes up all of `text`; none if there is anything else, or it does not fit.
template <class Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc{} || last != end) return {};
  return value;
}

}  // namespace graceful::os

#endif
