// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/duration_text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using graceful::duration_text;
using graceful::parse_duration;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST_CASE("a duration is written exactly, with the units that it needs") {
  for (const auto& [time, text] : std::vector<std::pair<milliseconds, std::string>>{
           {0ms, "0 ms"},
           {-5ms, "0 ms"},
           {7ms, "7 ms"},
           {999ms, "999 ms"},
           {1s, "1 s"},
           {2'250ms, "2.25 s"},
           {5'003ms, "5.003 s"},
           {60s, "1 min"},
           {90'500ms, "1 min 30.5 s"},
           {2h, "2 h"},
           {2h + 5s, "2 h 5 s"},
           {24h, "1 d"},
           {49h + 1ms, "2 d 1 h 0.001 s"},
       }) {
    CHECK(duration_text(time) == text);
  }
}

TEST_CASE("a written duration can be read again") {
  std::int64_t count = 1;
  for (int i = 0; i < 2'000; ++i) {
    count = (count * 6'364'136'223 + 1'442'695'041) % 86'400'001;
    const milliseconds time{count};
    REQUIRE(parse_duration(duration_text(time)).value() == time);
  }
}

TEST_CASE("a duration is read as systemd writes it; a number alone is seconds") {
  for (const auto& each : std::vector<std::pair<std::string, milliseconds>>{
           {"2s", 2s},
           {"2", 2s},
           {"0.25", 250ms},
           {"500ms", 500ms},
           {"500 msec", 500ms},
           {"1min 30s", 90s},
           {"1min30s", 90s},
           {"1m 500ms", 60'500ms},
           {"1.5h", 90min},
           {"2 hours 1 minute", 121min},
           {" 1 day ", 24h},
           {"0", 0ms},
           {"0.29", 290ms},
       }) {
    CAPTURE(each.first);
    CHECK(parse_duration(each.first).value() == each.second);
  }
}

TEST_CASE("text that is not a duration is refused, and the message shows how to write one") {
  for (const char* text : {"",
                           " ",
                           "s",
                           "-1",
                           "-1s",
                           "+1",
                           "1 2",
                           "1min 30",
                           "30 1min",
                           "1 parsec",
                           "1M",
                           "1e3",
                           "0x10",
                           "nan",
                           "inf",
                           "1s,",
                           "1..5",
                           "1s -500ms",
                           "12345678901234567890d",
                           "25h",
                           "1d 1ms"}) {
    CAPTURE(text);
    const auto read = parse_duration(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == graceful::errc::invalid_argument);
    CHECK(read.error().message ==
          '\'' + std::string{text} +
              "' is no time from 0 ms to 1 d; write 2s, 500ms, 1min 30s or 2h (a number alone is "
              "seconds)");
  }
  CHECK_FALSE(parse_duration(std::string(400, '9')).has_value());
}

TEST_CASE("a duration must be within its bounds before it is rounded") {
  CHECK(parse_duration("0.001", 1ms, 1h).value() == 1ms);
  CHECK(parse_duration("1h", 1ms, 1h).value() == 1h);
  for (const char* text : {"0", "0.0009", "3600.0001", "61min"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_duration(text, 1ms, 1h).has_value());
    CHECK(parse_duration(text, 1ms, 1h).error().message.find("from 1 ms to 1 h;") !=
          std::string::npos);
  }
}
