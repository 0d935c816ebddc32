// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/open_files.hpp"

#include <graceful/unique_fd.hpp>

#include "os/listening_socket.hpp"
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
#include <memory>
#include <span>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

answer somebody_blocks_in_accept(int fd, bool also_in_select) {
  const directory tasks{::opendir("/proc/self/task"), ::closedir};
  if (!tasks) return answer::unknown;
  auto otherwise = answer::no;
  while (const dirent* entry = ::readdir(tasks.get())) {
    const unique_fd file{
        ::open((std::string{"/proc/self/task/"} + entry->d_name + "/syscall").c_str(),
               O_RDONLY | O_CLOEXEC)};
    if (!file && errno != ENOENT) otherwise = answer::unknown;  // ENOENT: the thread has ended
    std::array<char, 256> text{};
    const auto length = file ? ::read(file.get(), text.data(), text.size() - 1) : 0;
    if (length <= 0) continue;
    long number = -1;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    // "running" where the thread does not wait: then no number is read.
    if (std::sscanf(text.data(), "%ld 0x%" SCNx64 " 0x%" SCNx64, &number, &first, &second) != 3)
      continue;
    const bool accepts = number == SYS_accept || number == SYS_accept4;
    const bool polls = number == SYS_poll || number == SYS_ppoll;
    const bool selects = also_in_select && (number == SYS_select || number == SYS_pselect6);
    if ((accepts && first == static_cast<std::uint64_t>(fd)) ||
        (polls && is_polled(fd, first, second)) || (selects && is_selected(fd, first, second))) {
      return answer::yes;
    }
  }
  return otherwise;
}

}  // namespace graceful::os
