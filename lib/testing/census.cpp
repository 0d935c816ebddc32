// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/testing/census.hpp>

#include "testing/process_table.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <system_error>

namespace graceful::testing {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code gone;
  for (fs::directory_iterator it{directory, gone}, end; !gone && it != end; it.increment(gone)) {
    entries.push_back(it->path());
  }
  return entries;
}

/// Each open descriptor, and what it refers to.
std::map<int, std::string> descriptors_of(pid_t pid) {
  std::map<int, std::string> result;
  // Read to the end first: in a census of this process itself, the entries include the descriptor
  // of the directory that is being read, which is closed by now.
  for (const fs::path& entry : entries_of(directory_of(pid) + "/fd")) {
    std::error_code gone;
    const std::string kind = fs::read_symlink(entry, gone);
    if (!gone) result.emplace(std::stoi(entry.filename()), kind);
  }
  return result;
}

std::vector<std::string> information_on(pid_t pid, int descriptor) {
  std::ifstream file{directory_of(pid) + "/fdinfo/" + std::to_string(descriptor)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string census::to_string() const {
  std::ostringstream text;
  text << "descriptors: " << descriptors << "\nsockets: " << sockets
       << "\nepoll_entries: " << epoll_entries << "\nthreads: " << threads
       << "\nzombies: " << zombies << '\n';
  for (const std::string& line : listing) text << "  " << line << '\n';
  return text.str();
}

census take_census(pid_t pid) {
  census result;
  for (const auto& [descriptor, kind] : descriptors_of(pid)) {
    ++result.descriptors;
    if (kind.starts_with("socket:")) ++result.sockets;
    if (kind == "anon_inode:[eventpoll]") {
      const auto lines = information_on(pid, descriptor);
      result.epoll_entries += static_cast<std::size_t>(
          std::count_if(lines.begin(), lines.end(),
                        [](const std::string& line) { return line.starts_with("tfd:"); }));
    }
    result.listing.push_back(std::to_string(descriptor) + " " + kind);
  }
  result.threads = entries_of(directory_of(pid) + "/task").size();
  const auto table = process_table();
  result.zombies = static_cast<std::size_t>(std::count_if(
      table.begin(), table.end(),
      [pid](const process_entry& entry) { return entry.parent == pid && entry.state == 'Z'; }));
  return result;
}

std::vector<int> descriptors_without_cloexec(pid_t pid) {
  std::vector<int> result;
  for (const auto& [descriptor, kind] : descriptors_of(pid)) {
    for (const std::string& line : information_on(pid, descriptor)) {
      constexpr std::string_view label = "flags:";
      if (descriptor <= 2 || !line.starts_with(label)) continue;
      if ((std::stoul(line.substr(label.size()), nullptr, 8) & O_CLOEXEC) == 0) {
        result.push_back(descriptor);
      }
    }
  }
  return result;
}

bool wait_for_census(pid_t pid, const census& wanted, deadline until) {
  // /proc does not report changes, so there is no event to wait for.
  while (!(take_census(pid) == wanted)) {
    if (until.passed()) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace graceful::testing
