// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "arguments.hpp"

#include "options.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace graceful::cli {

namespace po = boost::program_options;

namespace {

constexpr double longest_timeout = 86'400;  // a day, as the server allows
constexpr double most_failures = 1'000'000;

failure usage_error(const std::string& what) {
  return {errc::invalid_argument, what + "; see graceful-ctl --help"};
}

constexpr std::array<std::pair<std::string_view, arguments::command>, 10> commands{{
    {"upgrade", arguments::command::upgrade},
    {"status", arguments::command::status},
    {"drain", arguments::command::drain},
    {"monitor", arguments::command::monitor},
    {"abort", arguments::command::abort},
    {"commit", arguments::command::commit},
    {"rollback", arguments::command::rollback},
    {"metrics", arguments::command::metrics},
    {"run", arguments::command::run},
    {"reexec", arguments::command::reexec},
}};

std::string all_commands() {
  std::string all;
  for (const auto& [name, command] : commands) all += (all.empty() ? "" : ", ") + std::string{name};
  return all;
}

constexpr std::array<std::pair<std::string_view, arguments::milestone>, 3> milestones{{
    {"ready", arguments::milestone::ready},
    {"committed", arguments::milestone::committed},
    {"drained", arguments::milestone::drained},
}};

/// Options that go with one command only.
constexpr std::array<std::pair<const char*, arguments::command>, 11> owned_options{{
    {"directory", arguments::command::upgrade},
    {"env", arguments::command::upgrade},
    {"until", arguments::command::upgrade},
    {"now", arguments::command::drain},
    {"name", arguments::command::run},
    {"control", arguments::command::run},
    {"ready-timeout", arguments::command::run},
    {"restart-delay", arguments::command::run},
    {"max-restart-delay", arguments::command::run},
    {"max-failures", arguments::command::run},
    {"good-while", arguments::command::run},
}};

bool knows_supervisors(arguments::command command) {
  return command == arguments::command::run || command == arguments::command::reexec ||
         command == arguments::command::status;
}

/// The value of a word; none if the table does not have it.
template <class Table>
auto look_up(const Table& table, std::string_view word) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.first == word; });
  using value = decltype(found->second);
  return found == table.end() ? std::optional<std::decay_t<value>>{} : found->second;
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

/// None if it was not given; the error, if it is no time that makes sense.
result<std::optional<std::chrono::milliseconds>> time_option(const po::variables_map& values,
                                                             const std::string& name) {
  if (values.count(name) == 0) return std::optional<std::chrono::milliseconds>{};
  const double seconds = values[name].as<double>();
  if (!(seconds >= 0.001 && seconds <= longest_timeout)) {
    return usage_error("--" + name + " takes seconds, from 0.001 to 86400");
  }
  return std::optional{std::chrono::milliseconds{std::llround(seconds * 1000)}};
}

/// Not boost's own reading, which takes -1 for the greatest number.
result<std::optional<unsigned>> count_option(const po::variables_map& values,
                                             const std::string& name) {
  if (values.count(name) == 0) return std::optional<unsigned>{};
  const auto count = values[name].as<double>();
  if (!(count >= 0 && count <= most_failures && count == std::floor(count))) {
    return usage_error("--" + name + " takes a whole number, from 0 to 1000000");
  }
  return std::optional{static_cast<unsigned>(count)};
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

/// The server starts the command in its own directory; what the user wrote is relative to this one.
std::string absolute_program(const std::string& program) {
  if (program.find('/') == std::string::npos) return program;  // looked up in the server's PATH
  return std::filesystem::absolute(program).lexically_normal().string();
}

}  // namespace

result<arguments> parse(const std::vector<std::string>& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> own{words.begin(), dashes};
  arguments parsed;

  po::options_description all = options();
  all.add_options()("word", po::value<std::vector<std::string>>());
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
  } catch (const po::error& e) {
    const bool runs = !own.empty() && own.front() == "run";
    return usage_error(e.what() + std::string{runs ? ". What is the server's goes behind --: "
                                                     "graceful-ctl run [OPTIONS] -- COMMAND ARG..."
                                                   : ""});
  }

  const auto given = values.count("word") > 0 ? values["word"].as<std::vector<std::string>>()
                                              : std::vector<std::string>{};
  if (values.count("help") > 0) return parsed;
  if (values.count("version") > 0) {
    parsed.what = arguments::command::version;
    return parsed;
  }
  if (given.empty()) return usage_error("no command given: " + all_commands());
  if (given.front() == "help") return parsed;
  const auto command = look_up(commands, given.front());
  if (!command) return usage_error("'" + given.front() + "' is no command: " + all_commands());
  parsed.what = *command;
  if (*command == arguments::command::run && given.size() > 1) {
    return usage_error("'" + given[1] + "' follows run: the command goes behind --");
  }
  if (given.size() > 2) {
    return usage_error("one TARGET is enough, but '" + given[2] +
                       "' follows (a command for the new process goes behind --)");
  }
  if (given.size() == 2) parsed.target = given[1];
  if (given.size() == 2 && parsed.target.empty()) return usage_error("TARGET is empty");
  for (const auto& [option, owner] : owned_options) {
    if (values.count(option) == 0 || parsed.what == owner) continue;
    return usage_error("--" + std::string{option} + " does not go with " + given.front());
  }
  parsed.json = values.count("json") > 0;
  parsed.now = values.count("now") > 0;
  const auto timeout = time_option(values, "timeout");
  if (!timeout) return timeout.error();
  parsed.timeout = *timeout;
  if (values.count("socket") > 0) {
    parsed.socket = values["socket"].as<std::string>();
    if (!knows_supervisors(*command)) {
      return usage_error("--socket does not go with " + given.front());
    }
  }
  if (parsed.what == arguments::command::run) {
    for (const char* option : {"json", "timeout"}) {
      if (values.count(option) > 0) {
        return usage_error("--" + std::string{option} + " does not go with run");
      }
    }
    auto params = supervise(values);
    if (!params) return params.error();
    parsed.supervise = std::move(*params);
    if (dashes != words.end()) parsed.supervise.command.assign(dashes + 1, words.end());
    if (parsed.supervise.command.empty() || parsed.supervise.command.front().empty()) {
      return usage_error("there is no command to run: graceful-ctl run [OPTIONS] -- COMMAND");
    }
    return parsed;
  }
  if (dashes != words.end()) {
    if (parsed.what != arguments::command::upgrade) {
      return usage_error("only upgrade and run take a command behind --");
    }
    parsed.upgrade.command.assign(dashes + 1, words.end());
    if (parsed.upgrade.command.empty() || parsed.upgrade.command.front().empty()) {
      return usage_error("there is no command behind --");
    }
    parsed.upgrade.command.front() = absolute_program(parsed.upgrade.command.front());
  }
  if (values.count("directory") > 0) {
    const auto& directory = values["directory"].as<std::string>();
    if (directory.empty()) return usage_error("--directory is empty");
    // Not normalised: ".." behind a symbolic link is not what it looks like.
    parsed.upgrade.directory = std::filesystem::absolute(directory).string();
  }
  if (values.count("env") > 0) {
    auto variables = environment(values["env"].as<std::vector<std::string>>());
    if (!variables) return variables.error();
    parsed.upgrade.environment = std::move(*variables);
  }
  if (values.count("until") > 0) {
    const auto milestone = look_up(milestones, values["until"].as<std::string>());
    if (!milestone) return usage_error("--until takes ready, committed or drained");
    parsed.until = *milestone;
  }
  parsed.upgrade.timeout = parsed.timeout;
  return parsed;
}

}  // namespace graceful::cli
