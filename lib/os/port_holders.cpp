// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/port_holders.hpp"

#include "os/lock_owners.hpp"
#include "os/proc.hpp"
#include "os/process_identity.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
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

using links_of_sockets = std::set<std::string>;

/// Adds the link texts that readlink(2) shows for descriptors of these sockets.
void add_sockets(const char* table, std::uint16_t port, links_of_sockets& links) {
  std::ifstream file{table};
  std::string line;
  std::getline(file, line);  // the header line
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

/// Visits the links until `look` returns false.
void for_each_link(pid_t process, const std::function<bool(const std::string&)>& look) {
  std::error_code ec;
  for (fs::directory_iterator fd{proc_path(process, "fd"), ec}, end; !ec && fd != end;
       fd.increment(ec)) {
    const auto link = link_target(fd->path());
    if (link.empty() && errno == EACCES) return;  // all of them belong to another user
    if (!link.empty() && !look(link)) return;
  }
}

bool holds_one(pid_t process, const links_of_sockets& links) {
  bool found = false;
  for_each_link(process, [&](const std::string& link) { return !(found = links.contains(link)); });
  return found;
}

/// The control path whose lock the process has signed and has open as `file`. Empty: it is not such
/// a lock.
std::string control_path_by(const std::string& file, pid_t process) {
  constexpr std::string_view lock = ".lock";
  constexpr std::string_view supervisor = ".supervisor";
  if (!file.ends_with(lock)) return {};
  auto path = file.substr(0, file.size() - lock.size());
  const auto owners = living_owners(path);
  if (std::ranges::find(owners, process) == owners.end()) return {};
  if (path.ends_with(supervisor)) path.resize(path.size() - supervisor.size());
  return path;
}

port_holder describe_holder(pid_t pid) {
  port_holder found{.pid = pid, .name = {}, .control_path = {}};
  std::ifstream file{proc_path(pid, "comm")};
  std::getline(file, found.name);
  for_each_link(pid, [&](const std::string& link) {
    found.control_path = control_path_by(link, pid);
    return found.control_path.empty();
  });
  return found;
}

std::string named(const std::vector<port_holder>& holders) {
  std::string all;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if (i == most_named) return all + ", and others";
    all += (i == 0 ? "pid " : ", pid ") + std::to_string(holders[i].pid);
    if (!holders[i].name.empty()) all += " (" + holders[i].name + ')';
  }
  return all;
}

}  // namespace

std::vector<port_holder> holders_of_port(std::uint16_t port) {
  links_of_sockets links;
  add_sockets("/proc/self/net/tcp", port, links);
  add_sockets("/proc/self/net/tcp6", port, links);
  std::vector<port_holder> holders;
  if (links.empty()) return holders;
  for_each_process([&](pid_t pid) {
    if (holds_one(pid, links)) holders.push_back(describe_holder(pid));
    return true;
  });
  return holders;
}

std::string advice_on_port(std::uint16_t port) {
  const auto holders = holders_of_port(port);
  if (holders.empty()) {
    return "; find who listens there with: ss -ltnp 'sport = " + std::to_string(port) + "'";
  }
  const std::string held = "; it is held by " + named(holders);
  const auto server = std::ranges::find_if(
      holders, [](const port_holder& each) { return !each.control_path.empty(); });
  if (server != holders.end()) {
    return held + ": to replace it: graceful-ctl upgrade " + server->control_path +
           "; or use another address";
  }
  if (std::ranges::any_of(holders, [](const port_holder& each) { return is_ancestor(each.pid); })) {
    return held +
           ", by which this process was started: have it pass the socket, or use another address";
  }
  if (holders.size() == 1 && holders.front().pid == ::getpid()) {
    return "; this process listens there itself: use that listener, or close it before";
  }
  return held + (holders.size() == 1 ? ": end that" : ": end them") + ", or use another address";
}

std::set<int> held_by_others(const std::set<int>& sockets, const std::set<pid_t>& but) {
  std::map<std::string, int> by_link;
  for (const int fd : sockets) {
    struct stat file {};
    if (::fstat(fd, &file) == 0) by_link["socket:[" + std::to_string(file.st_ino) + ']'] = fd;
  }
  std::set<int> held;
  if (by_link.empty()) return held;
  for_each_process([&](pid_t pid) {
    if (pid == ::getpid() || but.contains(pid)) return true;
    for_each_link(pid, [&](const std::string& link) {
      if (const auto found = by_link.find(link); found != by_link.end()) held.insert(found->second);
      return held.size() < by_link.size();
    });
    return held.size() < by_link.size();
  });
  return held;
}

}  // namespace graceful::os
