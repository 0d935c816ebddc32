// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "testing/shim/silence.hpp"

#include "testing/shim/descriptors.hpp"
#include "testing/shim/real.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

namespace graceful::testing::shim {
namespace {

constexpr std::string_view silent_name = "graceful-silent-";

constinit std::atomic<bool> has_fallen{false};
constinit std::atomic_flag working{};

/// Lets one thread at a time replace sockets, and keeps signal handlers from doing it in between.
class exclusively {
 public:
  exclusively() {
    sigset_t all;
    ::sigfillset(&all);
    real_sigprocmask(SIG_BLOCK, &all, &before_);
    while (working.test_and_set()) real_poll(nullptr, 0, 1);
  }
  exclusively(const exclusively&) = delete;
  exclusively& operator=(const exclusively&) = delete;
  ~exclusively() {
    working.clear();
    real_sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t before_{};
};

/// True if this process made it to replace another listener.
bool is_silent_listener(int fd) {
  sockaddr_un name{};
  socklen_t length = sizeof name;
  return real_getsockname(fd, &name, &length) == 0 && name.sun_path[0] == '\0' &&
         std::memcmp(name.sun_path + 1, silent_name.data(), silent_name.size()) == 0;
}

/// True for a pair that this process has made, for itself or to replace a socket.
bool is_own_pair(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  return real_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         peer.pid == ::getpid();
}

bool is_connected(int fd) {
  sockaddr_un name{};
  socklen_t length = sizeof name;
  return real_getpeername(fd, &name, &length) == 0;
}

/// True for a connection with another process, or a socket that can get one.
bool reaches_others(int fd) {
  if (!is_unix_connection(fd)) return false;
  if (option_of(fd, SO_ACCEPTCONN) == 1) return !is_silent_listener(fd);
  return is_connected(fd) && !is_own_pair(fd);
}

int silent_listener(int type) {
  static constinit std::atomic<unsigned> made{0};
  const int fd = real_socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const int length =
      std::snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "%s%d-%u", silent_name.data(),
                    static_cast<int>(::getpid()), made.fetch_add(1));
  real_bind(fd, &name, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length));
  real_listen(fd, 1);
  return fd;
}

int silent_connection(int type) {
  std::array<int, 2> pair{-1, -1};
  real_socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair.data());
  return pair[0];  // the other end stays open: it is the peer
}

void take_over_properties(int from, int to) {
  real_fcntl(to, F_SETFL, reinterpret_cast<void*>(real_fcntl(from, F_GETFL, nullptr)));
  for (const int limit : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    timeval value{};
    socklen_t length = sizeof value;
    if (real_getsockopt(from, SOL_SOCKET, limit, &value, &length) == 0) {
      real_setsockopt(to, SOL_SOCKET, limit, &value, length);
    }
  }
}

/// An epoll entry belongs to the file that was open under the number when the entry was made. It
/// must be removed before another file gets the number. Only the kernel knows its events and data.
void replace(int fd, int by) {
  take_over_properties(fd, by);
  real_fcntl(fd, F_DUPFD_CLOEXEC, nullptr);  // keeps the connection open, so that its peer sees no
                                             // end
  epoll_entries entries;
  entries.collect(fd);
  for (std::size_t i = 0; i < entries.count; ++i) {
    auto& entry = entries.all[i];
    entry.taken_out = real_epoll_ctl(entry.epoll, EPOLL_CTL_DEL, fd, &entry.event) == 0;
  }
  const bool close_on_exec = (real_fcntl(fd, F_GETFD, nullptr) & FD_CLOEXEC) != 0;
  real_dup3(by, fd, close_on_exec ? O_CLOEXEC : 0);
  for (std::size_t i = 0; i < entries.count; ++i) {
    auto& entry = entries.all[i];
    if (entry.taken_out) real_epoll_ctl(entry.epoll, EPOLL_CTL_ADD, fd, &entry.event);
  }
  real_close(by);
}

void silence(int fd) {
  const int type = option_of(fd, SO_TYPE);
  const bool listens = option_of(fd, SO_ACCEPTCONN) == 1;
  const int by = listens ? silent_listener(type) : silent_connection(type);
  if (by >= 0) replace(fd, by);
}

}  // namespace

void fall_silent() {
  const exclusively alone;
  has_fallen.store(true);
  // Collected first: each replacement leaves descriptors that must not be found.
  static constinit std::array<int, 4096> found{};
  std::size_t count = 0;
  for_each_descriptor([&](int fd) {
    if (fd > STDERR_FILENO && count < found.size() && reaches_others(fd)) found[count++] = fd;
  });
  std::for_each_n(found.begin(), count, silence);
}

void keep_silence(int fd) {
  const exclusively alone;
  // A socket that is to be connected does not reach another process yet.
  if (reaches_others(fd) || (option_of(fd, SO_ACCEPTCONN) == 0 && !is_connected(fd))) silence(fd);
}

bool would_break_silence(int fd) { return has_fallen.load() && is_unix_connection(fd); }

}  // namespace graceful::testing::shim
