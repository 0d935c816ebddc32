// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include <graceful/unique_fd.hpp>

#include "os/at_start.hpp"
#include "os/proc.hpp"
#include "os/spare_descriptors.hpp"
#include "os/working_directory.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// What the kernel appends to the name of a file that has been removed.
constexpr std::string_view removed_mark = " (deleted)";

/// Reads /proc/self/cmdline with plain system calls: the first stream of a process costs more than
/// everything else here.
std::vector<std::string> read_command_line() {
  const auto text = whole_file("/proc/self/cmdline");  // empty without /proc, for instance in a
                                                       // chroot
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size(); at += arguments.back().size() + 1) {
    arguments.emplace_back(text.c_str() + at);
  }
  return arguments;
}

/// Whether `all` is the command line of a program that got `arguments`. If the dynamic loader was
/// told to run the program (AT_BASE is then 0), its own words come first, and it may have chosen
/// argv[0].
bool is_command_line(const std::vector<std::string>& all,
                     const std::vector<std::string>& arguments) {
  if (all.size() <= arguments.size() || ::getauxval(AT_BASE) != 0) return all == arguments;
  return std::equal(arguments.rbegin(), std::prev(arguments.rend()), all.rbegin());
}

bool is_script(const std::string& path) {
  unique_fd file{
      spare_descriptors::with([&path] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); })};
  std::array<char, 2> beginning{};
  const bool read = ::read(file.get(), beginning.data(), beginning.size()) == 2;
  spare_descriptors::close(std::move(file));
  return read && beginning[0] == '#' && beginning[1] == '!';
}

/// The kernel has replaced a script's argv[0] by the interpreter and its option: execve(2). It
/// would do so again.
std::vector<std::string> without_interpreter(const std::string& script,
                                             const std::vector<std::string>& arguments) {
  if (arguments.empty()) return arguments;
  const auto at = std::find(std::next(arguments.begin()), arguments.end(), script);
  if (at == arguments.end() || !is_script(script)) return arguments;
  return {at, arguments.end()};
}

}  // namespace

start_command start_command::of_this_process() {
  start_command command;
  const auto seen = execution::of_this_process();
  auto again = to_execute_again(seen);
  command.file = std::move(again.file);
  command.arguments = std::move(again.arguments);
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    command.environment.emplace_back(*variable);
  }
  if (is_set_id()) {
    for (const char* name : passed_on_variables) command.unset(name);
  }
  command.directory = with_links(directory_at_start(), seen.path);
  command.signals = signals_at_start();
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
  const char* value = trusted_variable(key);
  std::string copy = value == nullptr ? "" : value;
  ::unsetenv(key);
  unset(key);
  return copy;
}

execution execution::of_this_process() {
  const auto* path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const auto own = arguments_at_start();
  execution seen{.path = path != nullptr ? path : "",
                 .command_line = read_command_line(),
                 .arguments = own.size(),
                 .set_id = is_set_id()};
  if (own.empty()) {
    seen.arguments = seen.command_line.size();
  } else if (!is_command_line(seen.command_line, own)) {
    seen.command_line = own;  // there is no /proc, or the application has written a title there
  }
  return seen;
}

executed to_execute_again(const execution& seen) {
  executed again{.file = seen.path, .arguments = seen.command_line};
  // "ld.so PROGRAM": the loader removes itself and its options from the program's arguments, and
  // sets AT_EXECFN as if it had not been there.
  const bool by_loader = seen.arguments < seen.command_line.size();
  if (seen.path.empty() || by_loader || seen.set_id || is_own_path(seen.path)) {
    again.file = own_executable;
  } else {
    again.arguments = without_interpreter(seen.path, seen.command_line);
    if (seen.path.find('/') == std::string::npos) again.file.insert(0, "./");
  }
  if (again.arguments.empty()) again.arguments = {again.file};
  return again;
}

bool is_own_path(std::string_view path) {
  return path.starts_with("/proc/") || path.starts_with("/dev/fd/");
}

std::string current_file(const std::string& file) {
  if (file != own_executable || is_set_id()) return file;
  auto path = link_target(file);
  if (path.ends_with(removed_mark)) path.resize(path.size() - removed_mark.size());
  // The file does not exist if it was removed for good, or never had a name: memfd_create(2).
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return file;
  return path;
}

}  // namespace graceful::os
