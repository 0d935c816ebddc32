// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/start_command.hpp"

#include "os/at_start.hpp"
#include "os/peer.hpp"
#include "os/proc.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

/// True for a path that means something else, or nothing, in another process: for instance a
/// descriptor by which fexecve(3) executes a program.
bool is_own_path(std::string_view path) {
  return path.starts_with("/proc/") || path.starts_with("/dev/fd/");
}

/// What the kernel appends to the name of a file that has been removed.
constexpr std::string_view removed_mark = " (deleted)";

/// Empty without /proc, for instance in a chroot.
std::vector<std::string> read_command_line() {
  auto arguments = split(whole_file("/proc/self/cmdline"), '\0');
  if (arguments.back().empty()) arguments.pop_back();  // each argument ends with a NUL
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

/// The kernel has replaced a script's argv[0] by the interpreter and its option: execve(2). It
/// would do so again.
std::vector<std::string> without_interpreter(const std::string& script,
                                             const std::vector<std::string>& arguments) {
  if (arguments.empty()) return arguments;
  const auto at = std::find(std::next(arguments.begin()), arguments.end(), script);
  if (at == arguments.end() || !beginning_of(script, 2).starts_with("#!")) return arguments;
  return {at, arguments.end()};
}

/// Searching a larger directory would delay a server's start too long.
constexpr int most_entries = 1024;

/// How far below a link this directory may be: for example "current/bin".
constexpr int most_levels = 2;

using file = std::pair<dev_t, ino_t>;

std::optional<file> file_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return file{status.st_dev, status.st_ino};
}

/// The parent of `path`; empty for an entry of the root directory.
std::string above(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// This directory as $PWD names it; empty if $PWD tells nothing.
std::string by_shell(const std::string& physical) {
  const auto shell = trusted_variable("PWD");
  if (!shell.starts_with('/') || is_own_path(shell) || shell == physical) return {};
  const auto here = file_at(physical);
  return here && file_at(shell) == here ? shell : std::string{};
}

/// This directory as the way to the program names it.
std::string by_program(const std::string& program, const std::string& physical) {
  if (!program.starts_with('/') || is_own_path(program)) return {};
  std::vector<std::pair<std::string, std::optional<file>>> chain;
  for (auto each = physical; !each.empty(); each = above(each)) {
    chain.emplace_back(each, file_at(each));
  }
  for (auto way = above(program); !way.empty(); way = above(way)) {
    const auto named = file_at(way);
    for (const auto& [directory, its_file] : chain) {
      if (!named || its_file != named) continue;
      // Contains no links from here upwards.
      return way == directory ? std::string{} : way + physical.substr(directory.size());
    }
  }
  return {};
}

/// The links that lead from `where` to a directory.
struct links {
  std::string one;
  bool more = false;  // or there may be
};

/// Where others may make links, a link need not be the one that led here, and may point elsewhere
/// tomorrow. A group that may rename this process's directory itself, because no sticky bit
/// prevents it, gains nothing by a link.
bool is_shared(const struct stat& directory) {
  return (directory.st_mode & S_IWOTH) != 0 ||
         ((directory.st_mode & S_IWGRP) != 0 && (directory.st_mode & S_ISVTX) != 0);
}

/// The link may also belong to the owner of the directory, for the same reason.
bool is_trusted(const struct stat& link, const struct stat& directory) {
  return is_one_user(link.st_uid) &&
         (link.st_uid == 0 || link.st_uid == ::geteuid() || link.st_uid == directory.st_uid);
}

void look(const std::string& where, const file& directory, links& found) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries{::opendir(where.c_str()), &::closedir};
  struct stat around {};
  if (!entries || ::fstat(::dirfd(entries.get()), &around) != 0 || is_shared(around)) return;
  for (int i = 0; !found.more; ++i) {
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) return;
    if (i == most_entries) found.more = true;
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) continue;
    struct stat itself {};
    struct stat target {};
    const int fd = ::dirfd(entries.get());
    if (::fstatat(fd, entry->d_name, &itself, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISLNK(itself.st_mode) || !is_trusted(itself, around) ||
        ::fstatat(fd, entry->d_name, &target, 0) != 0 ||
        file{target.st_dev, target.st_ino} != directory) {
      continue;
    }
    found.more = !found.one.empty();
    found.one = where + '/' + entry->d_name;
  }
}

/// This directory as a link beside it names it. The root directory is skipped: links there, such as
/// /lib or /bin, are the system's.
std::string by_link(const std::string& physical) {
  std::string directory = physical;
  for (int level = 0; level <= most_levels; ++level, directory = above(directory)) {
    const auto target = file_at(directory);
    const auto parent = above(directory);
    if (!target || parent.empty()) return {};
    links found;
    look(parent, *target, found);
    if (const auto grandparent = above(parent); !grandparent.empty()) {
      look(grandparent, *target, found);
    }
    if (found.more) return {};
    if (!found.one.empty()) return found.one + physical.substr(directory.size());
  }
  return {};
}

}  // namespace

start_command start_command::of_this_process() {
  const auto seen = execution::of_this_process();
  auto command = to_execute_again(seen);
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
  auto value = trusted_variable(key);
  ::unsetenv(key);
  unset(key);
  return value;
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

start_command to_execute_again(const execution& seen) {
  start_command again{.file = seen.path, .arguments = seen.command_line};
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

std::string current_file(const std::string& file) {
  if (file != own_executable || is_set_id()) return file;
  auto path = link_target(file);
  if (path.ends_with(removed_mark)) path.resize(path.size() - removed_mark.size());
  // The file does not exist if it was removed for good, or never had a name: memfd_create(2).
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return file;
  return path;
}

std::string with_links(const std::string& physical, const std::string& program) {
  if (is_set_id()) return physical;
  if (auto found = by_shell(physical); !found.empty()) return found;
  if (auto found = by_program(program, physical); !found.empty()) return found;
  if (auto found = by_link(physical); !found.empty()) return found;
  return physical;
}

}  // namespace graceful::os
