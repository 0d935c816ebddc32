// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/port_holders.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace graceful::os {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_named = 4;
constexpr const char* listening = "0A";  // TCP_LISTEN, as /proc/net/tcp has it

using links_of_sockets = std::set<std::string, std::less<>>;

/// Adds what readlink(2) says of descriptors of these sockets.
void add_sockets(const char* table, std::uint16_t port, links_of_sockets& links) {
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

/// Until `look` returns false.
void for_each_link(const fs::path& process, const std::function<bool(std::string_view)>& look) {
  std::error_code ec;
  for (fs::directory_iterator fd{process / "fd", ec}, end; !ec && fd != end; fd.increment(ec)) {
    std::array<char, 64> link{};  // as long as those of sockets can be
    const auto length = ::readlink(fd->path().c_str(), link.data(), link.size());
    if (length < 0 && errno == EACCES) return;  // all of them are somebody else's
    if (length > 0 && !look({link.data(), static_cast<std::size_t>(length)})) return;
  }
}

bool holds_one(const fs::path& process, const links_of_sockets& links) {
  bool found = false;
  for_each_link(process, [&](std::string_view link) { return !(found = links.contains(link)); });
  return found;
}

/// Until `look` returns false.
void for_each_process(const std::function<bool(pid_t pid, const fs::path&)>& look) {
  std::error_code ec;
  for (fs::directory_iterator entry{"/proc", ec}, end; !ec && entry != end; entry.increment(ec)) {
    const auto name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [rest, wrong] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (wrong != std::errc{} || rest != name.data() + name.size()) continue;
    if (!look(pid, entry->path())) return;
  }
}

std::string described(const fs::path& process) {
  std::ifstream file{process / "comm"};
  std::string name;
  std::getline(file, name);
  return "pid " + process.filename().string() + (name.empty() ? "" : " (" + name + ')');
}

}  // namespace

std::string holders_of_port(std::uint16_t port) {
  links_of_sockets links;
  add_sockets("/proc/self/net/tcp", port, links);
  add_sockets("/proc/self/net/tcp6", port, links);
  if (links.empty()) return {};
  std::string named;
  std::size_t count = 0;
  for_each_process([&](pid_t /*pid*/, const fs::path& process) {
    if (!holds_one(process, links)) return true;
    named += ++count > most_named ? ", and others" : (count > 1 ? ", " : "") + described(process);
    return count <= most_named;
  });
  return named;
}

std::set<int> held_by_others(const std::set<int>& sockets, const std::set<pid_t>& but) {
  std::map<std::string, int, std::less<>> by_link;
  for (const int fd : sockets) {
    struct stat file {};
    if (::fstat(fd, &file) == 0) by_link["socket:[" + std::to_string(file.st_ino) + ']'] = fd;
  }
  std::set<int> held;
  if (by_link.empty()) return held;
  for_each_process([&](pid_t pid, const fs::path& process) {
    if (pid == ::getpid() || but.contains(pid)) return true;
    for_each_link(process, [&](std::string_view link) {
      if (const auto found = by_link.find(link); found != by_link.end()) held.insert(found->second);
      return held.size() < by_link.size();
    });
    return held.size() < by_link.size();
  });
  return held;
}

}  // namespace graceful::os
