// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/working_directory.hpp"

#include "os/at_start.hpp"
#include "os/start_command.hpp"
#include "os/user.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

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
  const char* variable = trusted_variable("PWD");
  const std::string shell = variable != nullptr ? variable : "";
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

std::string with_links(const std::string& physical, const std::string& program) {
  if (is_set_id()) return physical;
  if (auto found = by_shell(physical); !found.empty()) return found;
  if (auto found = by_program(program, physical); !found.empty()) return found;
  if (auto found = by_link(physical); !found.empty()) return found;
  return physical;
}

}  // namespace graceful::os
