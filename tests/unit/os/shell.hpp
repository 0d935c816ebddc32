// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/testing/deadline.hpp>

#include "os/child.hpp"
#include "os/start_command.hpp"

#include "patience.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace graceful_test {

/// The shell with a script.
inline graceful::os::start_command shell(const std::string& script,
                                         const std::vector<std::string>& environment = {}) {
  graceful::os::start_command command{.file = "/bin/sh",
                                      .arguments = {"sh", "-c", script},
                                      .environment = {"PATH=/usr/bin:/bin"},
                                      .directory = "/"};
  command.environment.insert(command.environment.end(), environment.begin(), environment.end());
  return command;
}

/// How it ended; "runs" if it does not end.
inline std::string end_of(graceful::os::child& child) {
  if (!graceful::testing::wait_readable(child.pidfd(), patience)) return "runs";
  const auto how = child.reap();
  return how ? how->to_string() : "runs";
}

inline std::string content(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace graceful_test
