// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_REEXEC_HPP
#define GRACEFUL_LIB_REEXEC_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/start_command.hpp"

#include "supervision/keeper.hpp"
#include "supervisor_place.hpp"

#include <optional>
#include <string>
#include <vector>

namespace graceful {

/// What one program of a supervisor leaves to the next that the same process executes.
struct legacy {
  struct kept {
    std::string name;
    unique_fd fd;
  };
  supervision::memory memory;
  supervision::time started;  ///< The supervisor.
  os::signal_setup signals;   ///< For the server.
  supervisor_place::descriptors open;
  std::vector<kept> sockets;
  unique_fd caller;  ///< The connection on which the answer to Reexec is awaited.
};

/// Executes `program` in this process. Returns only if that fails; then nothing has changed, and
/// `left` is as it was. Its descriptors are inherited, and no other above 2.
failure execute_anew(const os::start_command& program, const legacy& left);

/// What the program before has left, if there was one. Takes its variable out of the environment.
result<std::optional<legacy>> take_legacy();

}  // namespace graceful

#endif
