// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_EXECUTED_HPP
#define GRACEFUL_OS_EXECUTED_HPP

#include <string>
#include <string_view>
#include <vector>

namespace graceful::os {

/// The file that this process executes, whatever its name is: proc(5).
inline constexpr std::string_view own_executable = "/proc/self/exe";

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
