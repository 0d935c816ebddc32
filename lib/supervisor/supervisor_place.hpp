// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/supervisor.hpp>
#include <graceful/unique_fd.hpp>

#include "control/control_paths.hpp"
#include "os/control_path.hpp"
#include "supervisor/server_process.hpp"

#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

namespace graceful {

struct supervisor_paths {
  std::string control;  ///< The server's control path.
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
  /// The same, borrowed.
  struct numbers {
    int lock;
    int control;
    int notify;
  };

  /// Fails with `already_running` if another supervisor has it.
  static result<supervisor_place> take(supervisor_paths paths);

  /// Takes what the program that this process executed before has passed on.
  supervisor_place(supervisor_paths paths, descriptors open);

  supervisor_place(supervisor_place&&) = default;
  supervisor_place& operator=(supervisor_place&&) = delete;
  ~supervisor_place();

  /// Notes which process is the server, for the supervisor that follows if this one is killed.
  result<void> note_main(pid_t pid);

  [[nodiscard]] bool has_note() const { return os::identify(paths_.main()).has_value(); }

  [[nodiscard]] bool hears() const {
    const auto there = os::identify(paths_.notify());
    return there && there == notify_file_;
  }

  /// Replaces a removed socket for sd_notify(3). `on_it` is called before the old one is closed.
  result<void> hear_again(const std::function<void(int notify)>& on_it);

  /// The server that an earlier supervisor has left behind, if it runs.
  [[nodiscard]] std::optional<named_process> find_main() const;

  /// Removes the paths, except those that belong to another supervisor by now.
  void leave();

  [[nodiscard]] const supervisor_paths& paths() const { return paths_; }
  [[nodiscard]] numbers open() const {
    return {owned_.lock->get(), owned_.control->get(), notify_.get()};
  }
  /// Lock and socket, for the object that puts them back.
  [[nodiscard]] owned_path& owned() { return owned_; }

 private:
  supervisor_paths paths_;
  owned_path owned_;
  unique_fd notify_;
  std::optional<os::file_id> notify_file_;
};

}  // namespace graceful
