// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/open_files.hpp"

#include <graceful/unique_fd.hpp>

#include "os/control_path.hpp"
#include "os/listening_socket.hpp"
#include "os/proc.hpp"
#include "os/process_identity.hpp"
#include "os/socket_address.hpp"
#include "os/socket_option.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

// Some architectures lack the older of two calls.
#ifndef SYS_accept
#define SYS_accept SYS_accept4
#endif
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_select
#define SYS_select SYS_pselect6
#endif

namespace graceful::os {

namespace {

using directory = std::unique_ptr<DIR, int (*)(DIR*)>;

/// Without /proc, and with a limit of a million descriptors, checking each number would take long.
constexpr rlim_t highest_guess = 65'536;

bool is_connected_on(int fd, const std::set<std::uint16_t>& ports) {
  if (socket_option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM || is_listening(fd)) return false;
  const auto local = socket_address::bound_to(fd);
  const bool is_ip = local.family() == AF_INET || local.family() == AF_INET6;
  return is_ip && ports.contains(local.port());
}

/// Another thread's memory may be gone by now, so the kernel reads it. What cannot be read is zero.
void read_memory(std::uint64_t address, void* to, std::size_t size) {
  const unique_fd memory{::open("/proc/self/mem", O_RDONLY | O_CLOEXEC)};
  std::memset(to, 0, size);
  (void)!::pread(memory.get(), to, size, static_cast<off_t>(address));
}

bool is_polled(int fd, std::uint64_t address, std::uint64_t count) {
  std::array<pollfd, 256> entries{};
  const auto known = std::min<std::uint64_t>(count, entries.size());
  read_memory(address, entries.data(), known * sizeof entries[0]);
  return std::ranges::any_of(std::span{entries}.first(known), [fd](const auto& e) {
    return e.fd == fd && (e.events & POLLIN) != 0;
  });
}

bool is_selected(int fd, std::uint64_t count, std::uint64_t address) {
  if (fd >= FD_SETSIZE || static_cast<std::uint64_t>(fd) >= count || address == 0) return false;
  fd_set read_set;
  read_memory(address, &read_set, sizeof read_set);
  return FD_ISSET(fd, &read_set);
}

namespace fs = std::filesystem;

constexpr std::size_t most_named = 4;

using links_of_sockets = std::set<std::string>;

/// Adds the link texts that readlink(2) shows for descriptors of these sockets.
void add_sockets(const char* table, std::uint16_t port, links_of_sockets& links) {
  std::ifstream file{table};
  for (std::string line; std::getline(file, line);) {
    unsigned local_port = 0;
    unsigned state = 0;
    unsigned long inode = 0;
    // sl local_address rem_address st tx:rx tr:tm->when retrnsmt uid timeout inode
    const int read = std::sscanf(line.c_str(), "%*s %*[^:]:%x %*s %x %*s %*s %*s %*s %*s %lu",
                                 &local_port, &state, &inode);
    if (read == 3 && state == TCP_LISTEN && local_port == port) {
      links.insert("socket:[" + std::to_string(inode) + ']');
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

void for_each_open_file(const std::function<bool(int fd)>& look) {
  if (const directory files{::opendir("/proc/self/fd"), ::closedir}) {
    const int own = ::dirfd(files.get());
    while (const dirent* entry = ::readdir(files.get())) {
      const auto fd = whole_number<int>(entry->d_name);
      if (fd && *fd != own && !look(*fd)) return;
    }
    return;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min(limit.rlim_cur, highest_guess));
  for (int fd = 0; fd < end; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 && !look(fd)) return;
  }
}

std::set<std::uint64_t> connections_on(const std::set<std::uint16_t>& ports) {
  std::set<std::uint64_t> seen;
  for_each_open_file([&](int fd) {
    if (is_connected_on(fd, ports)) seen.insert(cookie_of(fd));
    return true;
  });
  return seen;
}

namespace {

/// What a thread sleeps in.
struct system_call {
  pid_t thread;
  long number;
  std::uint64_t first;
  std::uint64_t second;

  [[nodiscard]] bool accepts(int fd) const {
    return (number == SYS_accept || number == SYS_accept4) &&
           first == static_cast<std::uint64_t>(fd);
  }
  /// A poll(2) that a signal without a handler has interrupted goes on as restart_syscall(2), with
  /// the arguments that it had.
  [[nodiscard]] bool polls(int fd) const {
    return (number == SYS_poll || number == SYS_ppoll || number == SYS_restart_syscall) &&
           is_polled(fd, first, second);
  }
  [[nodiscard]] bool selects(int fd) const {
    return (number == SYS_select || number == SYS_pselect6) && is_selected(fd, first, second);
  }
};

/// Calls `look` for each thread that sleeps, until it returns false. False if some could not be
/// seen.
template <class Look>
bool for_each_sleeper(Look&& look) {
  const directory tasks{::opendir("/proc/self/task"), ::closedir};
  bool all_seen = tasks != nullptr;
  while (const dirent* entry = tasks ? ::readdir(tasks.get()) : nullptr) {
    const unique_fd file{
        ::open((std::string{"/proc/self/task/"} + entry->d_name + "/syscall").c_str(),
               O_RDONLY | O_CLOEXEC)};
    if (!file && errno != ENOENT) all_seen = false;  // ENOENT: the thread has ended
    std::array<char, 256> text{};
    const auto length = file ? ::read(file.get(), text.data(), text.size() - 1) : 0;
    if (length <= 0) continue;
    system_call in{std::atoi(entry->d_name), -1, 0, 0};
    // "running" where the thread does not wait: then no number is read.
    if (std::sscanf(text.data(), "%ld 0x%" SCNx64 " 0x%" SCNx64, &in.number, &in.first,
                    &in.second) == 3 &&
        !look(in)) {
      break;
    }
  }
  return all_seen;
}

}  // namespace

answer somebody_blocks_in_accept(int fd, bool also_in_select) {
  bool found = false;
  const bool all_seen = for_each_sleeper([&](const system_call& in) {
    found = in.accepts(fd) || in.polls(fd) || (also_in_select && in.selects(fd));
    return !found;
  });
  if (found) return answer::yes;
  return all_seen ? answer::no : answer::unknown;
}

std::vector<pid_t> threads_in_accept(int fd) {
  std::vector<pid_t> threads;
  (void)for_each_sleeper([&](const system_call& in) {
    if (in.accepts(fd)) threads.push_back(in.thread);
    return true;
  });
  return threads;
}

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
