// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_TESTING_UPGRADE_PARAMS_HPP
#define GRACEFUL_TESTING_UPGRADE_PARAMS_HPP

#include <graceful/testing/fault.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace graceful::testing {

/// When `deployment::upgrade` returns, if the upgrade does not fail.
enum class upgrade_end {
  ready,      ///< The successor accepts: its probation begins.
  committed,  ///< The successor stays.
  drained,    ///< Its predecessor has ended, too.
};

/// The parameters of a deploy.
struct upgrade_params {
  /// The command of the new process, with the placeholders of `deployment_params::command`. Default
  /// (empty): the command that the server was started with.
  std::vector<std::string> command{};

  /// Variables to add to the server's start environment, with placeholders too.
  std::map<std::string, std::string> environment{};

  /// A fault that strikes the new process, but not its successors. Start the deployment with
  /// `fault_injector::environment()`. `fault_injector::fired(outcome.pid, ...)` tells whether it
  /// has struck. Default: none.
  std::optional<testing::fault> fault{};

  /// How long the new process may take until it is ready. Default: the deployment's patience.
  std::optional<std::chrono::milliseconds> timeout{};

  upgrade_end until = upgrade_end::committed;
};

}  // namespace graceful::testing

#endif
