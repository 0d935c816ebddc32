// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include "os/at_start.hpp"
#include "os/executed.hpp"
#include "os/working_directory.hpp"

#include <cstdlib>
#include <utility>

#include <unistd.h>

namespace graceful::os {

start_command start_command::of_this_process() {
  start_command command;
  const auto seen = execution::of_this_process();
  auto again = to_execute_again(seen);
  command.file = std::move(again.file);
  command.arguments = std::move(again.arguments);
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    command.environment.emplace_back(*variable);
  }
  if (is_set_id()) {
    for (const char* name : passed_on_variables) command.unset(name);
  }
  command.directory = with_links(directory_at_start(), seen.path);
  command.signals = signals_at_start();
  return command;
}

void start_command::set(const std::string& key, const std::string& value) {
  unset(key);
  environment.push_back(key + '=' + value);
}

void start_command::unset(const std::string& key) {
  std::erase_if(environment,
                [&key](const std::string& variable) { return variable.starts_with(key + '='); });
}

std::string start_command::take(const char* key) {
  const char* value = trusted_variable(key);
  std::string copy = value == nullptr ? "" : value;
  ::unsetenv(key);
  unset(key);
  return copy;
}

}  // namespace graceful::os
