// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <array>
#include <cstddef>

#include <sys/epoll.h>

/// What the kernel says about this process's descriptors. Asked each time, because the shim does
/// not see all the ways in which descriptors come and go.
namespace graceful::testing::shim {

/// An int option of SOL_SOCKET; -1 if `fd` is not a socket.
int option_of(int fd, int option);

/// A Unix socket that has a peer, or may get one.
bool is_unix_connection(int fd);

void for_each_descriptor(void (*visit)(void* context, int fd), void* context);

template <class Visitor>
void for_each_descriptor(Visitor visit) {
  for_each_descriptor([](void* context, int fd) { (*static_cast<Visitor*>(context))(fd); }, &visit);
}

/// The epoll instances in which a descriptor is registered, and how: proc_pid_fdinfo(5).
struct epoll_entries {
  struct entry {
    int epoll;
    epoll_event event;
    bool taken_out;
  };
  std::array<entry, 64> all;
  std::size_t count = 0;

  void collect(int fd);
};

}  // namespace graceful::testing::shim
