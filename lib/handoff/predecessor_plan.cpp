// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// What a predecessor starts when it is upgraded, and what would keep it from that.
#include "handoff/passed_channel.hpp"
#include "handoff/predecessor_driver.hpp"
#include "os/at_start.hpp"
#include "os/start_command.hpp"
#include "os/system_failure.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace graceful {

namespace event = handoff::event;

namespace {

/// Variables of `after` that are missing in `before`, or have another value there.
std::map<std::string, std::string> changed(const std::vector<std::string>& before,
                                           const std::vector<std::string>& after) {
  std::map<std::string, std::string> variables;
  for (const auto& setting : after) {
    if (std::ranges::find(before, setting) != before.end()) continue;
    const auto equals = setting.find('=');
    if (equals != setting.npos) variables[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return variables;
}

std::string why_not_spawned(const failure& why, const upgrade_request& request) {
  const bool own = request.command.empty() && why.code == os::system_code(ENOENT);
  return why.message +
         (own ? "; put the new build there, or name one: graceful-ctl upgrade -- COMMAND" : "");
}

/// The command that starts a successor, without the variables that identify the upgrade.
os::start_command command_for(os::start_command command, const upgrade_request& request) {
  if (!request.command.empty()) {
    command.file = request.command.front();
    command.arguments = request.command;
  }
  if (!request.directory.empty()) command.directory = request.directory;
  command.set("PWD", command.directory);  // keeps the path's symbolic links, which chdir(2) does
                                          // not tell a process
  for (const auto& [key, value] : request.environment) command.set(key, value);
  return command;
}

}  // namespace

void predecessor_driver::spawn(const std::string& token) {
  if (auto why = callbacks_.objection(true)) {
    return resume(event::spawn_failed{std::move(*why)});
  }
  os::start_command command = command_for(settings_.start, request_);
  if (os::is_set_id() && command.file == os::own_executable) {
    log_.warning(
        "this set-id program starts its own file again, not the one that is at its path by now: "
        "whoever started it chose that path; to start a new build, use graceful-ctl upgrade -- "
        "/PATH/TO/SERVER, or set options::command");
  }
  const auto channel = callbacks_.open_channel();
  announce_channel(command, token, spawned_successor::channel_number, channel,
                   settings_.control_path);
  if (const auto spawned = child_.spawn(command, callbacks_.place(), channel.get()); !spawned) {
    return resume(event::spawn_failed{why_not_spawned(spawned.error(), request_)});
  }
  resume(event::spawned{*child_.pid()});
}

upgrade_plan predecessor_driver::plan(const upgrade_request& request) const {
  const auto command = command_for(settings_.start, request);
  upgrade_plan plan{.program = command.file,
                    .arguments = command.arguments,
                    .directory = command.directory,
                    .environment = changed(settings_.start.environment, command.environment),
                    .generation = settings_.generation + 1,
                    .timeout = request.timeout.value_or(settings_.ready_timeout),
                    .probation = settings_.probation};
  if (busy()) plan.obstacles.push_back({"busy", why_busy()});
  if (auto why = callbacks_.objection(true)) plan.obstacles.push_back({"supervisor", *why});
  if (const auto entered = os::check_directory(command); !entered) {
    plan.obstacles.push_back({"directory", entered.error().message});
    return plan;  // the search for the program may depend on the directory
  }
  auto program = os::find_program(command);
  if (program) {
    plan.program = std::move(*program);
  } else {
    plan.obstacles.push_back({"program", why_not_spawned(program.error(), request)});
  }
  return plan;
}

}  // namespace graceful
