// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "arguments.hpp"

#include <graceful/duration_text.hpp>

#include "usage.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <system_error>

namespace graceful::cli {

namespace po = boost::program_options;

namespace {

constexpr std::chrono::milliseconds shortest_time{1};
constexpr std::chrono::milliseconds longest_time = std::chrono::hours{24};  // the server's own
                                                                            // limit
constexpr unsigned most_failures = 1'000'000;

/// All options, of whatever command.
po::options_description known_options() {
  po::options_description all;
  for (const auto& row : all_options()) {
    const bool listed = std::any_of(all.options().begin(), all.options().end(),
                                    [&](const auto& o) { return o->long_name() == row.name; });
    if (listed) continue;
    auto name = std::string{row.name};
    if (row.letter != 0) name += std::string{','} + row.letter;
    if (row.value.empty()) {
      all.add_options()(name.c_str(), "");
    } else if (row.repeats) {
      all.add_options()(name.c_str(), po::value<std::vector<std::string>>(), "");
    } else {
      all.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
  all.add_options()("word", po::value<std::vector<std::string>>());
  return all;
}

result<std::map<std::string, std::string>> environment(const std::vector<std::string>& settings) {
  std::map<std::string, std::string> variables;
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return usage_error("--env takes KEY=VALUE, not '" + setting + "'");
    }
    variables[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return variables;
}

/// None if the option was not given; an error if its value is not a usable duration.
result<std::optional<std::chrono::milliseconds>> time_option(const po::variables_map& values,
                                                             const std::string& name) {
  if (values.count(name) == 0) return std::optional<std::chrono::milliseconds>{};
  const auto time = parse_duration(values[name].as<std::string>(), shortest_time, longest_time);
  if (!time) return usage_error("--" + name + ": " + time.error().message);
  return std::optional{*time};
}

result<std::optional<unsigned>> count_option(const po::variables_map& values,
                                             const std::string& name) {
  if (values.count(name) == 0) return std::optional<unsigned>{};
  const auto& text = values[name].as<std::string>();
  const auto* const end = text.data() + text.size();
  unsigned count = 0;
  const auto [last, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || last != end || count > most_failures) {
    return usage_error("--" + name + " takes a whole number, from 0 to 1000000, not '" + text +
                       "'");
  }
  return std::optional{count};
}

result<supervisor_params> supervise(const po::variables_map& values) {
  supervisor_params params;
  for (const auto& [name, target] :
       {std::pair{"name", &params.name}, std::pair{"control", &params.control_path},
        std::pair{"socket", &params.socket_path}}) {
    if (values.count(name) > 0) *target = values[name].as<std::string>();
  }
  for (const auto& [name, target] : {std::pair{"ready-timeout", &params.ready_timeout},
                                     std::pair{"restart-delay", &params.first_delay},
                                     std::pair{"max-restart-delay", &params.longest_delay},
                                     std::pair{"good-while", &params.good_while}}) {
    const auto time = time_option(values, name);
    if (!time) return time.error();
    if (*time) *target = **time;
  }
  const auto failures = count_option(values, "max-failures");
  if (!failures) return failures.error();
  if (*failures) params.max_failures = **failures;
  if (!params.name.empty() && !params.control_path.empty()) {
    return usage_error("--name and --control say the same: give one of them");
  }
  return params;
}

/// The server starts the command in its own directory; the user's path is relative to this one.
result<std::string> absolute(const std::string& path, const char* what) {
  std::error_code ec;
  const auto whole = std::filesystem::absolute(path, ec);
  if (!ec) return whole.string();
  return failure{ec, "the current directory cannot be found (" + ec.message() +
                         "): it may have been removed; go to another, or give " + what +
                         " as an absolute path"};
}

result<std::string> absolute_program(const std::string& program) {
  if (program.find('/') == std::string::npos) return program;  // the server looks it up in PATH
  auto path = absolute(program, "COMMAND");
  if (!path) return path;
  return std::filesystem::path{*path}.lexically_normal().string();
}

/// The command that the words name; none if that is unclear.
const command_row* named_in(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (const auto* const row = find_command(word)) return row;
  }
  return nullptr;
}

/// The command that help is wanted for: `help COMMAND`, or COMMAND --help.
result<arguments> ask_for_help(const std::vector<std::string>& given) {
  arguments parsed;
  const bool by_command = !given.empty() && given.front() == row_of(command::help).name;
  const std::size_t at = by_command ? 1 : 0;
  if (given.size() <= at) return parsed;
  const auto* const row = find_command(given[at]);
  if (row == nullptr) return unknown_command(given[at]);
  parsed.topic = row->what;
  return parsed;
}

/// Rejects options that the command does not take.
result<void> check_options(const po::variables_map& values, const command_row& row) {
  for (const auto& option : all_options()) {
    const std::string name{option.name};
    if (values.count(name) == 0 || find_option(option.name, row.what) != nullptr) continue;
    return usage_error("--" + name + " does not go with " + std::string{row.name} +
                           ", but with: " + takers_of(option.name),
                       &row);
  }
  return {};
}

/// The words after --, if there is one.
using command_line = std::optional<std::vector<std::string>>;

result<arguments> complete_run(arguments parsed, const po::variables_map& values,
                               const command_line& program) {
  auto params = supervise(values);
  if (!params) return params.error();
  parsed.supervise = std::move(*params);
  if (program) parsed.supervise.command = *program;
  if (parsed.supervise.command.empty() || parsed.supervise.command.front().empty()) {
    return usage_error("there is no command to run: graceful-ctl run [OPTIONS] -- COMMAND");
  }
  return parsed;
}

result<arguments> complete_upgrade(arguments parsed, const po::variables_map& values,
                                   const command_line& program) {
  if (program) {
    if (program->empty() || program->front().empty()) {
      return usage_error("there is no command behind --");
    }
    parsed.upgrade.command = *program;
    auto file = absolute_program(program->front());
    if (!file) return file.error();
    parsed.upgrade.command.front() = std::move(*file);
  }
  if (values.count("directory") > 0) {
    const auto& directory = values["directory"].as<std::string>();
    if (directory.empty()) return usage_error("--directory is empty");
    // Not normalised: ".." after a symbolic link does not mean what it seems to.
    auto path = absolute(directory, "--directory");
    if (!path) return path.error();
    parsed.upgrade.directory = std::move(*path);
  }
  if (values.count("env") > 0) {
    auto variables = environment(values["env"].as<std::vector<std::string>>());
    if (!variables) return variables.error();
    parsed.upgrade.environment = std::move(*variables);
  }
  if (values.count("until") > 0) {
    const auto& name = values["until"].as<std::string>();
    const auto names = all_milestones();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return usage_error("--until takes ready, committed or drained");
    parsed.until = static_cast<milestone>(found - names.begin());
  }
  parsed.upgrade.timeout = parsed.timeout;
  return parsed;
}

result<arguments> complete_completion(arguments parsed, const std::vector<std::string>& given,
                                      const command_row& row) {
  const auto known = all_shells();
  if (given.size() < 2 || std::find(known.begin(), known.end(), given[1]) == known.end()) {
    return usage_error("completion takes the name of a shell: bash, zsh or fish", &row);
  }
  parsed.target = given[1];
  return parsed;
}

}  // namespace

result<arguments> parse(const std::vector<std::string>& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  const std::vector<std::string> own{words.begin(), dashes};
  const auto program =
      dashes == words.end() ? command_line{} : command_line{{dashes + 1, words.end()}};

  const po::options_description all = known_options();
  po::positional_options_description positions;
  positions.add("word", -1);
  po::variables_map values;
  try {
    namespace style = po::command_line_style;
    po::store(po::command_line_parser(own)
                  .options(all)
                  .positional(positions)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              values);
  } catch (const po::unknown_option& e) {
    return unknown_option(e.get_option_name(), named_in(own));
  } catch (const po::error& e) {
    return usage_error(e.what(), named_in(own));
  }

  const auto given = values.count("word") > 0 ? values["word"].as<std::vector<std::string>>()
                                              : std::vector<std::string>{};
  if (values.count("help") > 0) return ask_for_help(given);
  arguments parsed;
  if (values.count("version") > 0) {
    parsed.what = command::version;
    return parsed;
  }
  if (given.empty()) return usage_error("no command given: " + command_names());
  const auto* const row = find_command(given.front());
  if (row == nullptr) return unknown_command(given.front());
  parsed.what = row->what;
  if (row->operand == word_kind::none && given.size() > 1) {
    return usage_error(
        "'" + given[1] + "' follows " + given[0] +
            (row->starts_program ? ": the command goes behind --" : ", which takes no TARGET"),
        row);
  }
  if (given.size() > 2) {
    return usage_error("one TARGET is enough, but '" + given[2] +
                           "' follows (a command for the new process goes behind --)",
                       row);
  }
  if (auto fit = check_options(values, *row); !fit) return fit.error();
  if (program && !row->starts_program) {
    return usage_error("only upgrade and run take a command behind --", row);
  }
  if (row->what == command::help) return ask_for_help(given);
  if (row->what == command::completion) return complete_completion(std::move(parsed), given, *row);
  if (given.size() == 2) parsed.target = given[1];
  if (given.size() == 2 && parsed.target.empty()) return usage_error("TARGET is empty", row);
  parsed.json = values.count("json") > 0;
  parsed.now = values.count("now") > 0;
  parsed.names = values.count("names") > 0;
  parsed.dry_run = values.count("dry-run") > 0;
  const auto timeout = time_option(values, "timeout");
  if (!timeout) return timeout.error();
  parsed.timeout = *timeout;
  if (values.count("socket") > 0) parsed.socket = values["socket"].as<std::string>();
  if (row->what == command::run) return complete_run(std::move(parsed), values, program);
  if (row->what == command::upgrade) return complete_upgrade(std::move(parsed), values, program);
  return parsed;
}

}  // namespace graceful::cli
