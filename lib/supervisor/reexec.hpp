// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_SUPERVISOR_REEXEC_HPP
#define GRACEFUL_SUPERVISOR_REEXEC_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/launch.hpp"
#include "os/start_command.hpp"
#include "supervisor/keeper.hpp"
#include "supervisor/supervisor_place.hpp"

#include <optional>
#include <string>
#include <vector>

namespace graceful {

/// What one program of a supervisor leaves to the next that the same process executes. Borrowed: if
/// that fails, this one goes on with it.
struct bequest {
  const supervision::memory& memory;
  supervision::time started;        ///< The supervisor.
  const os::signal_setup& signals;  ///< For the server.
  supervisor_place::numbers open;
  std::vector<os::passed_socket> sockets;
  int caller;  ///< The connection on which the answer to Reexec is awaited.
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

/// Executes `program` in this process. Returns only if that fails; then nothing has changed. What
/// is left is inherited, and no other descriptor above 2. First the program is tried in a process
/// of its own, for 4 s at most: one that does not start, or cannot read what it is left, would end
/// this process after its exec, when there is no way back.
failure execute_again(const os::start_command& program, const bequest& left);

/// What the program before has left, if there was one. Takes its variable out of the environment,
/// and out of the start command. In a process that only tries the program, says that it can read
/// that, and ends the process.
result<std::optional<legacy>> take_legacy(os::start_command& own);

}  // namespace graceful

#endif
