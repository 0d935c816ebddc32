// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/child.hpp"
#include "os/start_command.hpp"
#include "supervisor/keeper.hpp"
#include "supervisor/supervisor_place.hpp"

#include <optional>
#include <string>
#include <vector>

namespace graceful {

/// What one program of a supervisor leaves to the next one that the same process executes.
/// Borrowed: if the exec fails, this program goes on with it.
struct bequest {
  const supervision::memory& memory;
  supervision::time started;        ///< When the supervisor started.
  const os::signal_setup& signals;  ///< For the server.
  supervisor_place::numbers open;
  std::vector<os::passed_socket> sockets;
  int caller;  ///< The connection of the caller of Reexec, which waits for an answer.
};

/// The same, as the next program gets it.
struct legacy {
  struct kept {
    std::string name;
    unique_fd fd;
  };
  supervision::memory memory;
  supervision::time started;
  os::signal_setup signals;
  supervisor_place::descriptors open;
  std::vector<kept> sockets;
  unique_fd caller;
};

/// Executes `program` in this process. Returns only on failure; nothing has changed then. The
/// program inherits what is left to it, and no other descriptor above 2. First the program is tried
/// in a separate process, for 4 s at most: one that does not start, or cannot read what it is left,
/// would end this process after its exec, when there is no way back.
failure execute_again(const os::start_command& program, const bequest& left);

/// What the previous program has left; none if there was none. Removes its variable from the
/// environment and from the start command. In a process that only tries the program, reports that
/// it can read the note, and ends the process.
result<std::optional<legacy>> take_legacy(os::start_command& own);

}  // namespace graceful
