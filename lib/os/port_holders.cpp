// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/port_holders.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include <system_error>

namespace graceful::os {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_named = 4;
constexpr const char* listening = "0A";  // TCP_LISTEN, as /proc/net/tcp has it

/// Adds what readlink(2) says of descriptors of these sockets.
void add_sockets(const char* table, std::uint16_t port, std::set<std::string>& links) {
  std::ifstream file{table};
  std::string line;
  std::getline(file, line);  // the headings
  while (std::getline(file, line)) {
    std::istringstream fields{line};
    // sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
    std::array<std::string, 10> field;
    for (auto& each : field) fields >> each;
    const auto& local = field[1];
    const auto& inode = field[9];
    const auto colon = local.rfind(':');
    if (!fields || field[3] != listening || colon == std::string::npos) continue;
    if (std::stoul(local.substr(colon + 1), nullptr, 16) == port) {
      links.insert("socket:[" + inode + ']');
    }
  }
}

bool holds_one(const fs::path& process, const std::set<std::string>& links) {
  std::error_code ec;
  for (fs::directory_iterator fd{process / "fd", ec}, end; !ec && fd != end; fd.increment(ec)) {
    std::error_code gone;
    if (links.contains(fs::read_symlink(fd->path(), gone).string())) return true;
  }
  return false;
}

std::string described(const fs::path& process) {
  std::ifstream file{process / "comm"};
  std::string name;
  std::getline(file, name);
  return "pid " + process.filename().string() + (name.empty() ? "" : " (" + name + ')');
}

}  // namespace

std::string holders_of_port(std::uint16_t port) {
  std::set<std::string> links;
  add_sockets("/proc/self/net/tcp", port, links);
  add_sockets("/proc/self/net/tcp6", port, links);
  if (links.empty()) return {};
  std::string named;
  std::size_t count = 0;
  std::error_code ec;
  for (fs::directory_iterator entry{"/proc", ec}, end; !ec && entry != end; entry.increment(ec)) {
    const auto number = entry->path().filename().string();
    const bool is_process =
        std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_process || !holds_one(entry->path(), links)) continue;
    if (++count > most_named) return named + ", and others";
    named += (named.empty() ? "" : ", ") + described(entry->path());
  }
  return named;
}

}  // namespace graceful::os
