// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_EXECUTED_HPP
#define GRACEFUL_OS_EXECUTED_HPP

#include <string>
#include <string_view>
#include <vector>

namespace graceful::os {

/// The file that this process executes, whatever it is called: proc(5).
inline constexpr std::string_view own_executable = "/proc/self/exe";

/// A program and its arguments, as execve(2) takes them.
struct executed {
  std::string file;
  std::vector<std::string> arguments;  ///< With the name, argv[0].
};

/// What a process can see of how it was executed.
struct execution {
  std::string path;                       ///< AT_EXECFN of getauxval(3); empty if there is none.
  std::vector<std::string> command_line;  ///< Its arguments, and before them those of the loader.
  std::size_t arguments;                  ///< How many of these main() got.
  bool set_id;                            ///< Somebody else's process: see `is_set_id`.

  static execution of_this_process();
};

/// What has to be executed for the same to run again: the path as it was given, not resolved. So a
/// replaced file, or a symbolic link that leads elsewhere by now, is picked up. `own_executable`
/// where the path names nothing in another process, or is not to be believed.
executed to_execute_again(const execution& seen);

/// True for a path that means something else, or nothing, in another process: a descriptor, for
/// instance, by which fexecve(3) executes a program.
bool is_own_path(std::string_view path);

/// `file`; but for `own_executable` the file at its path by now, if there is one, and this is no
/// set-id program: by a hard link its path is in the directory of whoever started it.
std::string current_file(const std::string& file);

}  // namespace graceful::os

#endif
