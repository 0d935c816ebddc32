// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_START_COMMAND_HPP
#define GRACEFUL_OS_START_COMMAND_HPP

#include <map>
#include <string>
#include <vector>

#include <signal.h>

namespace graceful::os {

/// Signals that a process has blocked or ignored since its start: execve(2) keeps both.
struct signal_setup {
  sigset_t blocked{};
  sigset_t ignored{};
};

/// How a process was started, or is to be.
struct start_command {
  std::string
      file;  ///< Looked up in PATH if it has no slash. `own_executable`: see `current_file`.
  std::vector<std::string> arguments;    ///< Includes the name, argv[0].
  std::vector<std::string> environment;  ///< "KEY=VALUE".
  std::string directory;                 ///< Where it starts, and where relative paths begin.
  signal_setup signals{};

  /// How this process was started: as given to execve(2), not resolved. So a replaced binary, or a
  /// symbolic link that points elsewhere by now, is picked up at the next start. Directory and
  /// signals are those of the start. The environment is the current one; in a set-id program it
  /// lacks the variables by which the user who started it could deceive a successor.
  static start_command of_this_process();

  /// Sets or replaces a variable.
  void set(const std::string& key, const std::string& value);
  void unset(const std::string& key);

  /// Returns a variable that was meant for this process; empty if it is not set or not trusted:
  /// `trusted_variable`. Removes it from this process's environment too, so that no child has it.
  std::string take(const char* key);
};

}  // namespace graceful::os

#endif
