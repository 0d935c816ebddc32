// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/duration_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace graceful {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t ms_per_second = 1'000;
constexpr std::int64_t ms_per_minute = 60 * ms_per_second;
constexpr std::int64_t ms_per_hour = 60 * ms_per_minute;
constexpr std::int64_t ms_per_day = 24 * ms_per_hour;

struct time_unit {
  std::int64_t ms;
  std::array<std::string_view, 4> names;
};

constexpr std::array<time_unit, 5> time_units{{
    {1, {"ms", "msec"}},
    {ms_per_second, {"s", "sec", "second", "seconds"}},
    {ms_per_minute, {"m", "min", "minute", "minutes"}},
    {ms_per_hour, {"h", "hr", "hour", "hours"}},
    {ms_per_day, {"d", "day", "days"}},
}};

/// 0 if there is no such unit.
std::int64_t ms_per(std::string_view name) {
  for (const auto& unit : time_units) {
    if (!name.empty() && std::ranges::find(unit.names, name) != unit.names.end()) return unit.ms;
  }
  return 0;
}

/// More than any option takes, and well within what a double holds exactly.
constexpr double longest_read = 1e15;

constexpr std::string_view blanks = " \t";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";  // of units

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes as many of these characters off the front as there are.
std::string_view take(std::string_view& text, std::string_view characters) {
  const auto taken = text.substr(0, text.find_first_not_of(characters));
  text.remove_prefix(taken.size());
  return taken;
}

/// Takes "2" or "2.5" off the front. No sign, no exponent, no hexadecimal.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const bool point = text.size() > 1 && text.front() == '.' && is_digit(text[1]);
  if (text.empty() || (!is_digit(text.front()) && !point)) return {};
  const auto* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{}) return {};
  text.remove_prefix(static_cast<std::size_t>(last - text.data()));
  return number;
}

/// Returns milliseconds; none if `text` is not a duration.
std::optional<double> read_time(std::string_view text) {
  double sum = 0;
  take(text, blanks);
  for (bool first = true; first || !text.empty(); first = false) {
    const auto number = take_number(text);
    if (!number) return {};
    take(text, blanks);
    const auto name = take(text, letters);
    take(text, blanks);
    const bool alone = first && name.empty() && text.empty();
    const auto unit = alone ? ms_per_second : ms_per(name);
    if (unit == 0) return {};
    sum += *number * static_cast<double>(unit);
    if (sum > longest_read) return {};
  }
  return sum;
}

}  // namespace

std::string duration_text(milliseconds duration) {
  std::int64_t left = std::max<std::int64_t>(duration.count(), 0);
  if (left < ms_per_second) return std::to_string(left) + " ms";
  std::string text;
  const auto add = [&text](const std::string& number, const char* unit) {
    text += (text.empty() ? "" : " ") + number + ' ' + unit;
  };
  for (const auto& [unit, size] :
       {std::pair{"d", ms_per_day}, std::pair{"h", ms_per_hour}, std::pair{"min", ms_per_minute}}) {
    if (left >= size) add(std::to_string(left / size), unit);
    left %= size;
  }
  if (left == 0) return text;
  std::string seconds = std::to_string(left / ms_per_second);
  if (left % ms_per_second != 0) {
    auto fraction = std::to_string(ms_per_second + left % ms_per_second).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    seconds += '.' + fraction;
  }
  add(seconds, "s");
  return text;
}

result<milliseconds> parse_duration(std::string_view text, milliseconds least, milliseconds most) {
  const auto read = read_time(text);
  // Checked before rounding: less than a millisecond is out of range.
  const bool fits = read && *read >= static_cast<double>(least.count()) &&
                    *read <= static_cast<double>(most.count());
  if (fits) return milliseconds{std::llround(*read)};
  return failure{errc::invalid_argument,
                 '\'' + std::string{text} + "' is no time from " + duration_text(least) + " to " +
                     duration_text(most) +
                     "; write 2s, 500ms, 1min 30s or 2h (a number alone is seconds)"};
}

}  // namespace graceful
