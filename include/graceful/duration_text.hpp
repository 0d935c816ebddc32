// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DURATION_TEXT_HPP
#define GRACEFUL_DURATION_TEXT_HPP

#include <graceful/detail/api.hpp>
#include <graceful/error.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace graceful {

/// Formats a time as all of graceful does, exactly: "250 ms", "2.5 s", "1 min 30 s", "1 d 2 h". A
/// negative time is "0 ms". `parse_duration` reads each of these forms.
[[nodiscard]] GRACEFUL_API std::string duration_text(std::chrono::milliseconds duration);

/// Reads a time in the format of systemd.time(7): numbers with units, which are added up, with or
/// without blanks in between: "2s", "500ms", "1min 30s", "1.5 h". Units: ms, msec; s, sec, second,
/// seconds; m, min, minute, minutes; h, hr, hour, hours; d, day, days. A number alone is seconds.
///
/// **Errors.** `invalid_argument`: the text is not a time, or one shorter than `least` or longer
/// than `most`. The message begins with the text in quotes, and shows how to write a time.
[[nodiscard]] GRACEFUL_API result<std::chrono::milliseconds> parse_duration(
    std::string_view text, std::chrono::milliseconds least = {},
    std::chrono::milliseconds most = std::chrono::hours{24});

}  // namespace graceful

#endif
