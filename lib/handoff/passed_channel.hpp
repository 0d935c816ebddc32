// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/options.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <optional>
#include <string>

/// What a server passes to the successor that it spawns: its end of a connection, and the control
/// path. So the path need not exist, nor be accessible to the user that the server has become.
///
/// GRACEFUL_CHANNEL is TOKEN:NUMBER:INODE, with the token of GRACEFUL_UPGRADE;
/// GRACEFUL_CONTROL_PATH is the path. The inode tells whether the number still means that socket: a
/// shell or sudo(8) may have closed it, and another file may have been opened in its place.
namespace graceful {

inline constexpr const char* token_variable = "GRACEFUL_UPGRADE";

struct channel_pair {
  unique_fd ours;
  unique_fd theirs;

  /// Both ends are empty if none can be made.
  static channel_pair make();
};

/// Puts what is passed into the environment of `command`; `number` is the descriptor's number
/// there.
void announce_channel(os::start_command& command, const std::string& token, int number,
                      const unique_fd& channel, const std::string& control_path);

/// The control path that the predecessor names, if `opts` mean the same server: the same path or,
/// if they name none, the same server name in any directory. None if no predecessor names one.
std::optional<std::string> passed_control_path(const options& opts);

/// The control path of the server that this process was started to replace, if `control_path` is
/// another one: the two processes will not find each other then.
std::optional<std::string> missed_control_path(const std::string& control_path);

/// The channel of the upgrade `token`, close-on-exec; empty if it was lost on the way. Removes the
/// variables from the environment. Leaves alone what was passed for another control path: it is
/// meant for another process.
unique_fd take_channel(os::start_command& start, const std::string& token,
                       const std::string& control_path);

}  // namespace graceful
