// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/report.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace graceful::testing;
using namespace std::chrono_literals;

namespace {

const timeline::clock::time_point report_start{1'000'000s};

output_piece piece(std::chrono::milliseconds after, pid_t pid, std::string text,
                   bool standard_error = false) {
  return {.when = report_start + after, .pid = pid, .standard_error = standard_error, .text = text};
}

/// The part about outputs.
std::string outputs(const std::vector<output_piece>& pieces,
                    const std::vector<generations::member>& processes = {{1, 10, ""}}) {
  const auto text = report_of("it", processes, timeline{report_start}, pieces);
  const auto at = text.find("--- output");
  return at == text.npos ? "" : text.substr(at);
}

}  // namespace

TEST_CASE("a report shows how each process ended, the timeline, and each output, in this order") {
  timeline events{report_start};
  events.add("test", "deploys", report_start + 3ms);
  CHECK(report_of("deployment of a in b", {{1, 10, "exited 0"}, {2, 20, ""}}, events,
                  {piece(1ms, 20, "new\n"), piece(2ms, 10, "old\n")}) ==
        "=== deployment of a in b\n"
        "--- processes\n"
        "generation 1, pid 10: exited 0\n"
        "generation 2, pid 20: lives\n"
        "--- timeline\n"
        "+     3 ms  test  deploys\n"
        "--- output of generation 1, pid 10\n"
        "+     2 ms  old\n"
        "--- output of generation 2, pid 20\n"
        "+     1 ms  new\n"
        "===\n");
}

TEST_CASE("outputs are told apart by their writer, however they arrive") {
  CHECK(outputs({piece(1ms, 10, "a1\n"), piece(2ms, 20, "b1\n"), piece(3ms, 10, "a2\n", true)},
                {{1, 10, ""}}) ==
        "--- output of generation 1, pid 10\n"
        "+     1 ms  a1\n"
        "+     3 ms  a2\n"
        "--- output of pid 20\n"
        "+     2 ms  b1\n"
        "===\n");
}

TEST_CASE("each line has the time at which it began, even if it arrives in pieces") {
  CHECK(outputs({piece(1ms, 10, "one\ntw"), piece(2ms, 10, "o"), piece(3ms, 10, "\nthree\n\n")}) ==
        "--- output of generation 1, pid 10\n"
        "+     1 ms  one\n"
        "+     1 ms  two\n"
        "+     3 ms  three\n"
        "+     3 ms  \n"
        "===\n");
}

TEST_CASE("a last line without a newline gets one") {
  CHECK(outputs({piece(1ms, 10, "killed in the mid")}) ==
        "--- output of generation 1, pid 10\n+     1 ms  killed in the mid\n===\n");
  CHECK(outputs({}).empty());
}

TEST_CASE("the end of a long output is reported, from the beginning of a line on") {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  const auto shown = outputs({piece(1ms, 10, text)});
  const auto first_line = shown.find('\n') + 1;
  CHECK(shown.substr(first_line, 16) == "+     1 ms  line");
  CHECK(shown.find("line 1999\n") != shown.npos);
  CHECK(shown.find("line 1\n") == shown.npos);
  CHECK(shown.size() - first_line <= reported_output + 4);
  CHECK(shown.size() - first_line > reported_output - 30);

  const auto endless = outputs({piece(1ms, 10, std::string(3 * reported_output, 'x'))});
  CHECK(endless.size() > reported_output);
  CHECK(endless.size() < reported_output + 100);
}

TEST_CASE("a reused pid belongs to its newest generation") {
  CHECK(outputs({piece(1ms, 10, "x\n")}, {{1, 10, "ended"}, {7, 10, ""}})
            .starts_with("--- output of generation 7, pid 10\n"));
}
