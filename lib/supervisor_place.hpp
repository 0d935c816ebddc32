// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_SUPERVISOR_PLACE_HPP
#define GRACEFUL_LIB_SUPERVISOR_PLACE_HPP

#include <graceful/error.hpp>
#include <graceful/supervisor.hpp>
#include <graceful/unique_fd.hpp>

#include "os/control_path.hpp"

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace graceful {

struct supervisor_paths {
  std::string control;  ///< The server's.
  std::string socket;

  static result<supervisor_paths> of(const supervisor_params& params);

  [[nodiscard]] std::string notify() const { return socket + ".notify"; }
  [[nodiscard]] std::string main() const { return socket + ".main"; }
};

/// The supervisor's paths, and what is open there.
class supervisor_place {
 public:
  struct descriptors {
    unique_fd lock;
    unique_fd control;  ///< Varlink, listening.
    unique_fd notify;   ///< sd_notify(3).
  };

  /// `already_running` if another supervisor has it.
  static result<supervisor_place> take(supervisor_paths paths);

  /// What was passed on by the program that this process executed before.
  supervisor_place(supervisor_paths paths, descriptors open)
      : paths_{std::move(paths)},
        open_{std::move(open)},
        socket_file_{os::identify(paths_.socket)} {}

  /// Notes which process is the server, for a supervisor that comes after this one has been killed.
  result<void> note_main(pid_t pid);

  /// The server that such a supervisor has left behind, if it runs.
  [[nodiscard]] std::optional<pid_t> find_main() const;

  /// Removes the paths.
  void leave();

  [[nodiscard]] const supervisor_paths& paths() const { return paths_; }
  [[nodiscard]] const descriptors& open() const { return open_; }

 private:
  supervisor_paths paths_;
  descriptors open_;
  std::optional<os::file_id> socket_file_;
};

}  // namespace graceful

#endif
