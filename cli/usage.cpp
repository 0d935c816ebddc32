// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "usage.hpp"

#include "suggestion.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace graceful::cli {

failure usage_error(const std::string& what, const command_row* about) {
  const auto topic = about == nullptr ? std::string{} : std::string{about->name} + ' ';
  const auto more = "see graceful-ctl " + topic + "--help";
  return {errc::invalid_argument,
          what.ends_with('?') ? what + " (" + more + ')' : what + "; " + more};
}

std::string command_names() {
  std::string all;
  for (const auto& row : all_commands()) all += (all.empty() ? "" : ", ") + std::string{row.name};
  return all;
}

failure unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const auto& row : all_commands()) names.push_back(row.name);
  const auto meant = nearest(word, names);
  return usage_error(
      "'" + word + "' is no command" +
      (meant ? "; did you mean " + std::string{*meant} + "?" : ": " + command_names()));
}

failure unknown_option(const std::string& given, const command_row* about) {
  const auto word = given.substr(0, given.find('='));
  std::vector<std::string_view> names;
  for (const auto& row : all_options()) {
    if (about == nullptr || goes_with(row, about->what)) names.push_back(row.name);
  }
  const auto meant = nearest(
      std::string_view{word}.substr(std::min(word.find_first_not_of('-'), word.size())), names);
  const auto of = about == nullptr ? std::string{} : " of " + std::string{about->name};
  const auto hint = meant ? "; did you mean --" + std::string{*meant} + "?" : std::string{};
  // What looks like an option may be meant for the server.
  const bool runs = about != nullptr && about->what == command::run;
  return usage_error(word + " is no option" + of + hint +
                         (runs ? "; what is the server's goes behind --: graceful-ctl run "
                                 "[OPTIONS] -- COMMAND ARG..."
                               : ""),
                     about);
}

}  // namespace graceful::cli
