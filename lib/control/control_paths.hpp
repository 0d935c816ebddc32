// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/options.hpp>
#include <graceful/unique_fd.hpp>

#include "os/control_path.hpp"

#include <memory>
#include <optional>
#include <string>

namespace graceful {

/// The absolute path of a server's control socket. Makes the default directory if the path is in
/// it.
result<std::string> control_path_of(const options& opts);

/// What a process owns that a path leads to: a server its control path, a supervisor its socket.
struct owned_path {
  // Shared with operations that pass it on and may end later.
  std::shared_ptr<const unique_fd> lock = std::make_shared<const unique_fd>();
  std::shared_ptr<const unique_fd> control = std::make_shared<const unique_fd>();
  std::optional<os::file_id> file{};  ///< The file of the socket at its path.
};

}  // namespace graceful
