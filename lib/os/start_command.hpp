// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>

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
  std::string file;  ///< Looked up in PATH if it has no slash. May be `own_executable`.
  std::vector<std::string> arguments;      ///< Includes the name, argv[0].
  std::vector<std::string> environment{};  ///< "KEY=VALUE".
  std::string directory{};                 ///< Where it starts, and where relative paths begin.
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

/// What a process can see of how it was executed.
struct execution {
  std::string path;                       ///< AT_EXECFN of getauxval(3); empty if not set.
  std::vector<std::string> command_line;  ///< Its arguments, preceded by those of the loader.
  std::size_t arguments;                  ///< How many of these main() got.
  bool set_id;  ///< Another user may have started the process: see `is_set_id`.

  static execution of_this_process();
};

/// The file and the arguments that run the same program again. The file is `own_executable` if its
/// path means nothing in another process, or is not trusted.
start_command to_execute_again(const execution& seen);

/// Returns `file`. For `own_executable` it returns the file that is now at its path, if there is
/// one and this is no set-id program: through a hard link, that path may be in a directory of the
/// user who started it.
std::string current_file(const std::string& file);

/// The directory in which this process was started: `physical`, as the kernel knows it, but with
/// the symbolic links that led there. So a path like /srv/app/current, which may point to another
/// release by then, is resolved again. These sources are tried in order:
///
/// 1. $PWD, if it names this directory. A shell without better knowledge sets it to the physical
/// path, which tells nothing.
/// 2. `program`, the absolute path of the program: a directory on the way to it that is this one,
/// or above it.
/// 3. The only symbolic link in the parent or grandparent of this directory that leads to it, to
/// the directory above it, or to the one above that. Only a link of root, this user, or the owner
/// of the directory in which it lies counts, and none where everybody may make links.
///
/// Otherwise the result is `physical`.
std::string with_links(const std::string& physical, const std::string& program);

// What execve(2) would do with a command, or why it has failed.

/// Where a program is looked for, in this order: in PATH, or at its path.
std::vector<std::string> places_of(const std::string& file);

/// Fails if this set-id program must not execute the command.
result<void> check_allowed(const start_command& command);

/// Fails if the command cannot start in its directory.
result<void> check_directory(const start_command& command);

/// The path of the file that would be executed. Fails as execve(2) would, except for errors that
/// only the kernel can tell: a missing loader, an unknown file format.
result<std::string> find_program(const start_command& command);

/// The failure that says that the command cannot be executed because of this error of execve(2).
failure cannot_execute(const start_command& command, int error);

}  // namespace graceful::os
