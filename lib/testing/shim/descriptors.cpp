// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/shim/descriptors.hpp"

#include "testing/shim/real.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace graceful::testing::shim {
namespace {

/// Reads one line after the other, without allocating: the fdinfo of an epoll instance can be long.
class line_reader {
 public:
  explicit line_reader(const char* path)
      : fd_{real_open(path, O_RDONLY | O_CLOEXEC, 0)}, end_{buffer_.data()}, at_{end_} {}
  line_reader(const line_reader&) = delete;
  line_reader& operator=(const line_reader&) = delete;
  ~line_reader() {
    if (fd_ >= 0) real_close(fd_);
  }

  /// Ends with a NUL in place of its newline. Null at the end of the file.
  const char* next() {
    for (;;) {
      const auto waiting = static_cast<std::size_t>(end_ - at_);
      if (char* newline = static_cast<char*>(std::memchr(at_, '\n', waiting))) {
        const char* line = at_;
        *newline = '\0';
        at_ = newline + 1;
        return line;
      }
      std::memmove(buffer_.data(), at_, waiting);
      at_ = buffer_.data();
      end_ = at_ + waiting;
      const ssize_t size = fd_ < 0 ? 0 : real_read(fd_, end_, buffer_.size() - waiting);
      if (size <= 0) return nullptr;
      end_ += size;
    }
  }

 private:
  std::array<char, 4096> buffer_;
  int fd_;
  char* end_;
  char* at_;
};

bool is_epoll(int fd) {
  std::array<char, 64> link{};
  std::array<char, 64> what{};
  std::snprintf(link.data(), link.size(), "/proc/thread-self/fd/%d", fd);
  const ssize_t length = real_readlink(link.data(), what.data(), what.size());
  return length > 0 && std::string_view{what.data(), static_cast<std::size_t>(length)} ==
                           "anon_inode:[eventpoll]";
}

}  // namespace

int option_of(int fd, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return real_getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

bool is_unix_connection(int fd) {
  if (option_of(fd, SO_DOMAIN) != AF_UNIX) return false;
  const int type = option_of(fd, SO_TYPE);
  return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

void for_each_descriptor(void (*visit)(void*, int), void* context) {
  const int directory = real_open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return;
  alignas(dirent64) std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t size = ::getdents64(directory, buffer.data(), buffer.size());
    if (size <= 0) break;
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
      const auto fd = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
      if (fd != directory) visit(context, fd);
    }
  }
  real_close(directory);
}

void epoll_entries::collect(int fd) {
  count = 0;
  for_each_descriptor([&](int epoll) {
    if (!is_epoll(epoll)) return;
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/thread-self/fdinfo/%d", epoll);
    line_reader lines{path.data()};
    while (const char* line = lines.next()) {
      int target = -1;
      unsigned events = 0;
      unsigned long long data = 0;
      if (count == all.size() ||
          std::sscanf(line, "tfd: %d events: %x data: %llx", &target, &events, &data) != 3 ||
          target != fd) {
        continue;
      }
      all[count++] = {epoll, {.events = events, .data = {.u64 = data}}, false};
    }
  });
}

}  // namespace graceful::testing::shim
