// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/control_client.hpp>
#include <graceful/supervisor.hpp>

#include "command_table.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace graceful::cli {

/// What the command line asks for.
struct arguments {
  using command = cli::command;
  using milestone = cli::milestone;

  command what = command::help;
  std::optional<command> topic;  // of help; none: overview
  std::string target;  // a name, a path, or empty: the only server there is; for completion, a
                       // shell
  bool json = false;
  bool now = false;
  bool names = false;    // for list: print nothing else
  bool dry_run = false;  // for upgrade
  milestone until = milestone::committed;
  std::optional<std::chrono::milliseconds> timeout;
  upgrade_request upgrade;
  supervisor_params supervise;
  std::string socket;  // of the supervisor; empty: beside that of the server
};

/// The error says what is wrong with the command line.
result<arguments> parse(const std::vector<std::string>& words);

}  // namespace graceful::cli
