// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_CONTROL_OWNED_PATH_HPP
#define GRACEFUL_CONTROL_OWNED_PATH_HPP

#include <graceful/unique_fd.hpp>

#include "os/control_path.hpp"

#include <memory>
#include <optional>

namespace graceful {

/// What a process owns that a path leads to: a server its control path, a supervisor its socket.
struct owned_path {
  // Shared with operations that pass it on and may end later.
  std::shared_ptr<const unique_fd> lock = std::make_shared<const unique_fd>();
  std::shared_ptr<const unique_fd> control = std::make_shared<const unique_fd>();
  std::optional<os::file_id> file{};  ///< The file of the socket at its path.
};

}  // namespace graceful

#endif
