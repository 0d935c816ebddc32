// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_START_COMMAND_HPP
#define GRACEFUL_OS_START_COMMAND_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <signal.h>

namespace graceful::os {

/// The file that this process executes, whatever its name is: proc(5).
inline constexpr std::string_view own_executable = "/proc/self/exe";

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

/// A program and its arguments, as execve(2) takes them.
struct executed {
  std::string file;
  std::vector<std::string> arguments;  ///< Includes the name, argv[0].
};

/// What a process can see of how it was executed.
struct execution {
  std::string path;                       ///< AT_EXECFN of getauxval(3); empty if not set.
  std::vector<std::string> command_line;  ///< Its arguments, preceded by those of the loader.
  std::size_t arguments;                  ///< How many of these main() got.
  bool set_id;  ///< Another user may have started the process: see `is_set_id`.

  static execution of_this_process();
};

/// What to execute to run the same program again: the path as it was given, not resolved. So a
/// replaced file, or a symbolic link that points elsewhere by now, is picked up. `own_executable`
/// if the path means nothing in another process, or is not trusted.
executed to_execute_again(const execution& seen);

/// True for a path that means something else, or nothing, in another process: for instance a
/// descriptor by which fexecve(3) executes a program.
bool is_own_path(std::string_view path);

/// Returns `file`. For `own_executable` it returns the file that is now at its path, if there is
/// one and this is no set-id program: through a hard link, that path may be in a directory of the
/// user who started it.
std::string current_file(const std::string& file);

}  // namespace graceful::os

#endif
