// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/options.hpp>
#include <graceful/unique_fd.hpp>

#include "control/control_paths.hpp"
#include "handoff/successor_driver.hpp"
#include "os/log.hpp"
#include "os/start_command.hpp"

#include <memory>
#include <string>
#include <vector>

/// How a process becomes the owner of a control path: by a cold start, or from a predecessor.
namespace graceful {

struct takeover_request {
  /// Made from the options and the environment. A set-id program takes only one thing from the
  /// environment: the upgrade for which it was spawned. Removes the variables of this library from
  /// the environment and from the start command, so that no child inherits them.
  static takeover_request of(const options& opts, std::string control_path, std::string manager,
                             os::start_command& start);

  std::string control_path;
  std::string token;    // of the upgrade that spawned this process; empty: none
  bool explicitly;      // options::takeover or GRACEFUL_TAKEOVER
  std::string manager;  // as in `wire::begin`
  std::chrono::milliseconds step_timeout;
  unique_fd channel;  // to the predecessor, which has passed it; empty: connect through the path
};

/// What makes a process the server of a control path.
struct ownership : owned_path {
  std::unique_ptr<successor_driver> predecessor;  // none: a cold start
};

/// A listening socket that the predecessor has passed.
struct passed_listener {
  std::string name;
  unique_fd fd;
  bool kept;  // a service manager holds it too
};

struct takeover {
  ownership owned;
  std::vector<passed_listener> listeners;
};

/// Blocks for a few times `step_timeout` at most.
result<takeover> take_ownership(takeover_request request, log& log);

}  // namespace graceful
