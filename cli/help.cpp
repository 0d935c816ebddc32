// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "help.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace graceful::cli {

namespace {

constexpr std::size_t help_width = 80;
constexpr std::size_t widest_label = 22;

constexpr std::string_view target_text =
    "TARGET is a server's name, or the path of its control socket (with a slash). It may be left "
    "out if one server is running.";
constexpr std::string_view time_text =
    "TIME is 2s, 500ms, 1min 30s (in quotes) or 2h; a number alone is seconds.";

/// The words of `text`, in lines that begin in column `indent`; on the first line the column is
/// already reached.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > indent && column + 1 + word.size() > help_width) {
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
  }
  return lines + '\n';
}

/// "  LABEL   description"; all descriptions of a list begin in the same column.
std::string item(const std::string& label, std::string_view text, std::size_t width) {
  const std::size_t indent = width + 4;
  std::string line = "  " + label;
  line += line.size() + 2 > indent ? '\n' + std::string(indent, ' ')
                                   : std::string(indent - line.size(), ' ');
  return line + wrapped(text, indent);
}

std::string label_of(const option_row& option) {
  std::string label;
  if (option.letter != 0) label = std::string{'-', option.letter} + ", ";
  label += "--" + std::string{option.name};
  return option.value.empty() ? label : label + ' ' + std::string{option.value};
}

std::string usage_of(const command_row& row) {
  return "graceful-ctl " + std::string{row.name} + ' ' + std::string{row.usage} + '\n';
}

}  // namespace

std::string help() {
  std::string text =
      "Usage: graceful-ctl COMMAND [TARGET] [OPTIONS]\n"
      "       graceful-ctl upgrade [TARGET] [OPTIONS] [-- COMMAND ARG...]\n"
      "       graceful-ctl run [OPTIONS] -- COMMAND ARG...\n"
      "\n"
      "Replaces a running server with a new process, without a client noticing.\n"
      "\n"
      "Commands (graceful-ctl help COMMAND says more of one):\n";
  std::size_t width = 0;
  for (const command_row& row : all_commands()) width = std::max(width, row.name.size());
  for (const command_row& row : all_commands()) {
    text += item(std::string{row.name}, row.summary, width);
  }
  text += '\n' + wrapped(target_text, 0) + "\nCommon options:\n";
  for (const char* name : {"json", "timeout", "help", "version"}) {
    const option_row& option = *find_option(name, command::status);
    text += item(label_of(option), option.help, 14);
  }
  return text + '\n' + wrapped(time_text, 0) +
         "\n"
         "Exit codes: 0 done, 1 failed (of upgrade: and the old process still serves),\n"
         "2 usage, 4 permission denied, 7 not running, 75 busy (try again later), 130 or\n"
         "143 interrupted. Of run: that of the server, 128 + n if signal n killed it,\n"
         "127 if there is no such program, 126 if it cannot be executed.\n";
}

std::string help(command about) {
  const command_row& row = row_of(about);
  std::string text =
      "Usage: " + usage_of(row) + '\n' + wrapped(row.description, 0) + "\nOptions:\n";
  std::size_t width = 0;
  bool takes_time = false;
  for (const option_row& option : all_options()) {
    if (!goes_with(option, about)) continue;
    const auto size = label_of(option).size();
    if (size <= widest_label) width = std::max(width, size);
    takes_time = takes_time || option.kind == word_kind::time;
  }
  for (const option_row& option : all_options()) {
    if (goes_with(option, about)) text += item(label_of(option), option.help, width);
  }
  text += '\n';
  if (row.operand == word_kind::server) text += wrapped(target_text, 0);
  if (takes_time) text += wrapped(time_text, 0);
  if (row.operand == word_kind::server || takes_time) text += '\n';
  return text + "Example:\n  " + std::string{row.example} + '\n';
}

}  // namespace graceful::cli
