// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "settings.hpp"

#include <graceful/control_client.hpp>

#include "os/at_start.hpp"
#include "os/control_path.hpp"
#include "wire/control_messages.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <system_error>

namespace graceful {

result<std::string> control_path_of(const options& opts) {
  if (!opts.control_path.empty()) {
    if (os::is_set_id() && !opts.control_path.starts_with('/')) {
      return failure{errc::invalid_argument,
                     "the control path " + opts.control_path +
                         " is relative to a directory that whoever started this set-id program "
                         "chose; set options::control_path to an absolute path"};
    }
    std::error_code ec;
    auto path = std::filesystem::absolute(opts.control_path, ec);
    if (ec) return failure{ec, "the control path " + opts.control_path + ": " + ec.message()};
    return path.lexically_normal().string();
  }
  const bool usable = !opts.name.empty() && opts.name.front() != '.' && opts.name.front() != '-' &&
                      opts.name.find_first_not_of(
                          "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789._-") == std::string::npos;
  if (!usable) {
    return failure{errc::invalid_argument,
                   "options::name '" + opts.name +
                       "' is not usable: letters, digits, '.', '_' and '-', not starting with '.' "
                       "or '-'; or set options::control_path"};
  }
  auto path = default_control_path(opts.name);
  const auto directory = std::filesystem::path{path}.parent_path().string();
  if (auto made = os::make_private_directory(directory); !made) return made.error();
  return path;
}

result<os::start_command> start_command_of(const options& opts) {
  auto start = os::start_command::of_this_process();
  if (!opts.command.empty()) {
    if (opts.command.front().empty()) {
      return failure{errc::invalid_argument,
                     "options::command names no program; leave it empty to start this one again"};
    }
    start.file = opts.command.front();
    start.arguments = opts.command;
  }
  if (opts.directory.starts_with('/')) {
    start.directory = opts.directory;
  } else if (!opts.directory.empty()) {
    start.directory += '/' + opts.directory;
  }
  return start;
}

options bounded(options opts) {
  for (auto* timeout :
       {&opts.ready_timeout, &opts.probation, &opts.confirm_timeout, &opts.handoff_timeout,
        &opts.drain_timeout, &opts.linger, &opts.idle_grace, &opts.drain_spread}) {
    *timeout = std::clamp<std::chrono::milliseconds>(*timeout, timeout->zero(), wire::max_timeout);
  }
  return opts;
}

}  // namespace graceful
