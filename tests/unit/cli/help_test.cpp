// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "help.hpp"

#include "arguments.hpp"
#include "command_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

using namespace graceful::cli;

namespace {

constexpr std::size_t terminal_width = 80;

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, line.size());
  return widest;
}

std::string dashed(const option_row& option) { return "--" + std::string{option.name}; }

/// A value that the option takes.
std::string sample(const option_row& option) {
  switch (option.kind) {
    case word_kind::time:
    case word_kind::number:
      return "1";
    case word_kind::milestone:
      return "ready";
    default:
      return "KEY=x";
  }
}

}  // namespace

TEST_CASE("the overview names each command and fits a page") {
  const auto text = help();
  CHECK(text.starts_with("Usage: graceful-ctl COMMAND"));
  for (const auto& row : all_commands()) {
    CHECK(says(text, "\n  " + std::string{row.name} + ' '));
  }
  CHECK(says(text, "Exit codes:"));
  CHECK(says(text, "--json"));
  CHECK_FALSE(says(text, "--max-failures"));
  CHECK(widest_line(text) <= terminal_width);
  CHECK(std::count(text.begin(), text.end(), '\n') <= 50);
}

TEST_CASE("the help of a command shows its usage, its options and no others, and an example") {
  for (const auto& row : all_commands()) {
    CAPTURE(std::string{row.name});
    const auto text = help(row.what);
    CHECK(text.starts_with("Usage: graceful-ctl " + std::string{row.name} + ' '));
    CHECK(says(text, "Example:\n  graceful-ctl " + std::string{row.name}));
    CHECK(widest_line(text) <= terminal_width);
    for (const auto& option : all_options()) {
      const bool takes = find_option(option.name, row.what) != nullptr;
      const bool listed = says(text, "  " + dashed(option) + ' ') ||
                          says(text, "  " + dashed(option) + '\n') ||
                          says(text, ", " + dashed(option) + ' ');
      CAPTURE(std::string{option.name});
      CHECK(listed == takes);
    }
  }
}

TEST_CASE("an option is accepted by the commands whose help shows it, and refused by the others") {
  for (const auto& row : all_commands()) {
    for (const auto& option : all_options()) {
      if (option.name == "help" || option.name == "version") continue;
      std::vector<std::string> words{std::string{row.name}, dashed(option)};
      if (!option.value.empty()) words.push_back(sample(option));
      if (row.what == command::run) words.insert(words.end(), {"--", "server"});
      const auto parsed = parse(words);
      CAPTURE(std::string{row.name});
      CAPTURE(std::string{option.name});
      CHECK(parsed.has_value() == (find_option(option.name, row.what) != nullptr));
      if (parsed) continue;
      CHECK(says(parsed.error().message,
                 dashed(option) + " does not go with " + std::string{row.name} + ", but with: "));
    }
  }
}

TEST_CASE("no two rows of an option apply to one command, and all or none of them take a value") {
  const auto options = all_options();
  for (const auto& a : options) {
    for (const auto& b : options) {
      if (&a == &b || a.name != b.name) continue;
      CHECK((a.goes_with & b.goes_with) == 0);
      CHECK(a.value.empty() == b.value.empty());
      CHECK(a.repeats == b.repeats);
    }
  }
}

TEST_CASE("help can be asked for before or after the command, or without one for the overview") {
  CHECK(parse({"--help"}).value().topic == std::nullopt);
  CHECK(parse({"-h"}).value().topic == std::nullopt);
  CHECK(parse({"help"}).value().topic == std::nullopt);
  CHECK(parse({"help"}).value().what == command::help);
  CHECK(parse({"upgrade", "--help"}).value().topic == command::upgrade);
  CHECK(parse({"--help", "upgrade"}).value().topic == command::upgrade);
  CHECK(parse({"help", "run"}).value().topic == command::run);
  CHECK(parse({"run", "-h"}).value().topic == command::run);
  CHECK(parse({"drain", "shop", "--now", "--help"}).value().what == command::help);
  CHECK(says(parse({"help", "upgarde"}).error().message, "did you mean upgrade?"));
}
