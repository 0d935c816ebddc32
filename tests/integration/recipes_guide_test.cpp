// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The guide quotes its recipes: what it shows of a program is in that program.
#include "kit_servers.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using graceful_test::from_build;

namespace {

using lines = std::vector<std::string>;

std::string trimmed(const std::string& line) {
  const auto begin = line.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_last_not_of(' ') + 1 - begin);
}

lines lines_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  lines all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  if (all.empty()) throw std::runtime_error{"nothing to read in " + file.string()};
  return all;
}

/// A recipe as the guide presents it.
struct quoted_recipe {
  std::string title;
  std::set<std::string> programs;  // the files that it links
  lines code;
};

void look_for_links(const std::string& line, std::set<std::string>& programs) {
  constexpr std::string_view begin = "(examples/recipes/";
  for (auto at = line.find(begin); at != std::string::npos; at = line.find(begin, at + 1)) {
    const auto from = at + begin.size();
    programs.insert(line.substr(from, line.find(')', from) - from));
  }
}

std::vector<quoted_recipe> recipes_of(const lines& guide) {
  std::vector<quoted_recipe> all;
  bool here = false;
  bool in_code = false;
  for (const auto& line : guide) {
    if (line.starts_with("```")) in_code = !in_code;
    if (!in_code && line.starts_with("### ")) here = line == "### Recipes";
    if (!here || line.starts_with("```")) continue;
    if (!in_code && line.starts_with("#### ")) all.push_back({line.substr(5), {}, {}});
    if (all.empty()) continue;
    if (in_code) {
      if (const auto code = trimmed(line); !code.empty()) all.back().code.push_back(code);
    } else {
      look_for_links(line, all.back().programs);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("each recipe of the guide quotes lines of its program, and each program is a recipe") {
  const std::filesystem::path docs = from_build("DOCS");
  const auto programs = docs / "examples" / "recipes";
  std::set<std::string> linked;
  for (const auto& recipe : recipes_of(lines_of(docs / "guide.md"))) {
    CAPTURE(recipe.title);
    CHECK_FALSE(recipe.code.empty());
    std::set<std::string> known;
    for (const auto& program : recipe.programs) {
      linked.insert(program);
      for (const auto& line : lines_of(programs / program)) known.insert(trimmed(line));
    }
    for (const auto& line : recipe.code) {
      INFO("quoted: ", line);
      CHECK(known.count(line) == 1);
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator{programs}) {
    if (entry.path().extension() != ".cpp") continue;
    INFO(entry.path().string());
    CHECK(linked.count(entry.path().filename().string()) == 1);
  }
}
