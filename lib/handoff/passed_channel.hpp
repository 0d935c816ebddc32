// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_HANDOFF_PASSED_CHANNEL_HPP
#define GRACEFUL_HANDOFF_PASSED_CHANNEL_HPP

#include <graceful/options.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include <optional>
#include <string>

/// What a server passes to the successor that it spawns: its end of a connection, and the control
/// path. So the path need not be there, nor be open to the user that the server has become.
///
/// GRACEFUL_CHANNEL is TOKEN:NUMBER:INODE, the token that of GRACEFUL_UPGRADE; the path is in
/// GRACEFUL_CONTROL_PATH. The inode tells whether the number still means that socket: a shell or
/// sudo(8) may have closed it, and something else been opened in its place.
namespace graceful {

struct channel_pair {
  unique_fd ours;
  unique_fd theirs;

  /// Both ends empty if there can be none.
  static channel_pair make();
};

/// Says in the environment of `command` what is passed; `number` is what the descriptor has there.
void announce_channel(os::start_command& command, const std::string& token, int number,
                      const unique_fd& channel, const std::string& control_path);

/// The control path that the predecessor names, if `opts` are of the same server: the same path, or
/// by default the same name, in whatever directory. None if no predecessor does.
std::optional<std::string> passed_control_path(const options& opts);

/// The control path of the server that this process was started to replace, if `control_path` is
/// another: then the two know nothing of each other.
std::optional<std::string> missed_control_path(const std::string& control_path);

/// The channel of the upgrade `token`, close-on-exec; empty if it was lost on the way. Takes the
/// variables out of the environment. What was passed for another control path than this is left
/// alone: it is meant for another process.
unique_fd take_channel(os::start_command& start, const std::string& token,
                       const std::string& control_path);

}  // namespace graceful

#endif
