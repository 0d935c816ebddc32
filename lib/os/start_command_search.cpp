// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/at_start.hpp"
#include "os/proc.hpp"
#include "os/start_command.hpp"
#include "os/system_failure.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr const char* default_path = "/bin:/usr/bin";

bool may_execute(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

/// The interpreter that the first line of a script names; none if this is no script, or cannot be
/// read.
std::string interpreter_of(std::string_view beginning) {
  if (!beginning.starts_with("#!")) return {};
  beginning.remove_prefix(std::min(beginning.find_first_not_of(" \t", 2), beginning.size()));
  return std::string{beginning.substr(0, beginning.find_first_of(" \t\n"))};
}

constexpr std::size_t longest_first_line = 128;

std::string path_in(const std::string& directory, const std::string& file) {
  return file.starts_with('/') ? file : directory + '/' + file;
}

/// execve(2) also fails with ENOENT where the file exists and its interpreter does not.
std::string missing_interpreter(const start_command& command) {
  if (command.file.find('/') == std::string::npos) return {};
  const auto path = path_in(command.directory, command.file);
  if (::access(path.c_str(), R_OK) != 0) return {};
  const auto beginning = beginning_of(path, longest_first_line);
  if (!beginning.starts_with("#!")) {
    return ": the file is there, and the loader that it needs (readelf -l) is missing";
  }
  return ": its interpreter (" + interpreter_of(beginning) +
         ") is missing; install it, or name another in its first line";
}

/// The error that execve(2) would return, as far as it can be predicted; 0: none.
int why_not_executable(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode) || !may_execute(path)) return EACCES;
  const auto interpreter = interpreter_of(beginning_of(path, longest_first_line));
  if (interpreter.starts_with('/') && !may_execute(interpreter)) return errno;
  return 0;
}

}  // namespace

std::vector<std::string> places_of(const std::string& file) {
  if (file.find('/') != std::string::npos) return {file};
  std::vector<std::string> files;
  for (const auto& directory : split(trusted_variable("PATH", default_path), ':')) {
    files.push_back((directory.empty() ? "." : directory) + '/' + file);
  }
  return files;
}

result<void> check_allowed(const start_command& command) {
  const bool relative = command.file.find('/') != std::string::npos && command.file.front() != '/';
  if (!is_set_id() || !relative) return {};
  return failure{errc::invalid_argument,
                 "a set-id program does not execute " + command.file +
                     " by a relative path: whoever started it chose the directory; name the "
                     "program by an absolute path"};
}

result<void> check_directory(const start_command& command) {
  struct stat status {};
  const bool there = ::stat(command.directory.c_str(), &status) == 0;
  const bool is_directory = there && S_ISDIR(status.st_mode);
  if (is_directory && may_execute(command.directory)) return {};
  const int error = there && !is_directory ? ENOTDIR : errno;
  return system_failure(
      "cannot execute " + command.file + " in the directory " + command.directory +
          ", which cannot be entered",
      error, "; make it again, or name another: graceful-ctl upgrade --directory DIRECTORY");
}

result<std::string> find_program(const start_command& command) {
  start_command now = command;
  now.file = current_file(command.file);
  if (auto allowed = check_allowed(now); !allowed) return allowed.error();
  int error = ENOENT;
  for (const auto& place : places_of(now.file)) {
    auto path = path_in(now.directory, place);
    const int why = why_not_executable(path);
    if (why == 0) return path;
    if (why == ENOENT || why == ENOTDIR) continue;  // as execvp(3) walks through PATH
    error = why;
    if (why != EACCES) break;
  }
  return cannot_execute(now, error);
}

failure cannot_execute(const start_command& command, int error) {
  return system_failure("cannot execute " + command.file + " in " + command.directory, error,
                        error == ENOENT ? missing_interpreter(command) : "");
}

}  // namespace graceful::os
