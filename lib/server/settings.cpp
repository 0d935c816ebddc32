// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "server/settings.hpp"

#include "wire/control_messages.hpp"

#include <algorithm>
#include <chrono>

namespace graceful {

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
