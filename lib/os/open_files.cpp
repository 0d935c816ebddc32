// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/open_files.hpp"

#include <graceful/unique_fd.hpp>

#include "os/listening_socket.hpp"
#include "os/socket_address.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace graceful::os {

namespace {

using directory = std::unique_ptr<DIR, int (*)(DIR*)>;

/// Without /proc, and with a limit of a million descriptors, looking at each would take long.
constexpr rlim_t highest_guess = 65'536;

bool is_connected_on(int fd, std::span<const std::uint16_t> ports) {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM) {
    return false;
  }
  const auto local = socket_address::bound_to(fd);
  if (local.family() != AF_INET && local.family() != AF_INET6) return false;
  if (std::ranges::find(ports, local.port()) == ports.end()) return false;
  int listens = 0;
  length = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens == 0;
}

/// Another thread's memory may be gone by now: the kernel reads it.
bool polls_alone(std::uint64_t address, int fd) {
  const unique_fd memory{::open("/proc/self/mem", O_RDONLY | O_CLOEXEC)};
  pollfd entry{};
  return ::pread(memory.get(), &entry, sizeof entry, static_cast<off_t>(address)) ==
             static_cast<ssize_t>(sizeof entry) &&
         entry.fd == fd;
}

bool is_accept(long number) {
#ifdef SYS_accept
  if (number == SYS_accept) return true;
#endif
  return number == SYS_accept4;
}

bool is_poll(long number) {
#ifdef SYS_poll
  if (number == SYS_poll) return true;
#endif
  return number == SYS_ppoll;
}

}  // namespace

void for_each_open_file(const std::function<bool(int fd)>& look) {
  if (const directory files{::opendir("/proc/self/fd"), ::closedir}) {
    const int own = ::dirfd(files.get());
    while (const dirent* entry = ::readdir(files.get())) {
      char* end = nullptr;
      const long fd = std::strtol(entry->d_name, &end, 10);
      if (end == entry->d_name || *end != '\0' || fd == own) continue;
      if (!look(static_cast<int>(fd))) return;
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

accepted_connections connections_on(std::span<const std::uint16_t> ports) {
  accepted_connections seen;
  for_each_open_file([&](int fd) {
    if (!is_connected_on(fd, ports)) return true;
    ++seen.count;
    seen.newest = std::max(seen.newest, cookie_of(fd));
    return true;
  });
  return seen;
}

bool somebody_blocks_in_accept(int fd) {
  const directory tasks{::opendir("/proc/self/task"), ::closedir};
  if (!tasks) return false;
  while (const dirent* entry = ::readdir(tasks.get())) {
    const unique_fd file{
        ::open((std::string{"/proc/self/task/"} + entry->d_name + "/syscall").c_str(),
               O_RDONLY | O_CLOEXEC)};
    std::array<char, 256> text{};
    const auto length = file ? ::read(file.get(), text.data(), text.size() - 1) : 0;
    if (length <= 0) continue;
    long number = -1;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    // "running" where it does not wait: then no number is read.
    if (std::sscanf(text.data(), "%ld 0x%" SCNx64 " 0x%" SCNx64, &number, &first, &second) != 3)
      continue;
    if (is_accept(number) && first == static_cast<std::uint64_t>(fd)) return true;
    if (is_poll(number) && second == 1 && polls_alone(first, fd)) return true;
  }
  return false;
}

}  // namespace graceful::os
