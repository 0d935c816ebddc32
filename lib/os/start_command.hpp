// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_START_COMMAND_HPP
#define GRACEFUL_OS_START_COMMAND_HPP

#include <map>
#include <string>
#include <vector>

#include <signal.h>

namespace graceful::os {

/// Signals that a process has from its start blocked or ignored: execve(2) keeps both.
struct signal_setup {
  sigset_t blocked{};
  sigset_t ignored{};
};

/// How a process was started, or is to be.
struct start_command {
  std::string
      file;  ///< Looked up in PATH if it has no slash. `own_executable`: see `current_file`.
  std::vector<std::string> arguments;    ///< With the name, argv[0].
  std::vector<std::string> environment;  ///< "KEY=VALUE".
  std::string directory;                 ///< Where it starts, and where relative paths begin.
  signal_setup signals{};

  /// How this process was started: as it was given to execve(2), not resolved. So a replaced
  /// binary, or a symbolic link that points elsewhere by now, is picked up when it starts again.
  /// Directory and signals are those that it began with; the environment is that of now, in a
  /// set-id program without what whoever started it could have a successor believe.
  static start_command of_this_process();

  /// Sets or replaces a variable.
  void set(const std::string& key, const std::string& value);
  void unset(const std::string& key);

  /// The value of a variable that was meant for this process, empty without one, or if it is not to
  /// be believed: `trusted_variable`. Taken out of this process's environment too, so that no child
  /// has it.
  std::string take(const char* key);
};

}  // namespace graceful::os

#endif
