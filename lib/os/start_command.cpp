// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include <graceful/unique_fd.hpp>

#include <array>
#include <cstdlib>

#include <fcntl.h>
#include <limits.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// Read with plain system calls: the first stream of a process costs more than all else here.
std::vector<std::string> command_line() {
  const unique_fd file{::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)};
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size(); at += arguments.back().size() + 1) {
    arguments.emplace_back(text.c_str() + at);
  }
  return arguments;
}

/// The working directory as the shell knew it: with its symbolic links, so that a directory like
/// /srv/current, which points to another release by then, is entered anew.
std::string logical_directory() {
  std::array<char, PATH_MAX> buffer{};
  std::string physical = ::getcwd(buffer.data(), buffer.size()) == nullptr ? "/" : buffer.data();
  const char* shell = ::secure_getenv("PWD");
  struct stat here {};
  struct stat there {};
  if (shell != nullptr && shell[0] == '/' && ::stat(".", &here) == 0 &&
      ::stat(shell, &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino) {
    return shell;
  }
  return physical;
}

signal_setup current_signals() {
  signal_setup signals;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &signals.blocked);
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) {
      ::sigaddset(&signals.ignored, number);
    }
  }
  return signals;
}

}  // namespace

start_command start_command::of_this_process() {
  start_command command;
  command.arguments = command_line();
  // The path that execve(2) was given: getauxval(3). argv[0] may be anything, and /proc/self/exe
  // is resolved, which would pin the old release.
  const auto* executed = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  command.file = executed != nullptr ? executed : "/proc/self/exe";
  if (command.file.find('/') == std::string::npos) command.file.insert(0, "./");
  if (command.arguments.empty()) command.arguments = {command.file};
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    command.environment.emplace_back(*variable);
  }
  command.directory = logical_directory();
  command.signals = current_signals();
  return command;
}

void start_command::set(const std::string& key, const std::string& value) {
  unset(key);
  environment.push_back(key + '=' + value);
}

void start_command::unset(const std::string& key) {
  std::erase_if(environment,
                [&key](const std::string& variable) { return variable.starts_with(key + '='); });
}

std::string start_command::take(const char* key) {
  const char* value = std::getenv(key);
  std::string copy = value == nullptr ? "" : value;
  ::unsetenv(key);
  unset(key);
  return copy;
}

}  // namespace graceful::os
