// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PARK_HPP
#define GRACEFUL_OS_PARK_HPP

#include <graceful/error.hpp>

#include <cstdint>
#include <vector>

namespace graceful::os {

/// What it takes to come back.
struct parking {
  struct registration {
    int instance;
    std::uint32_t events;
    std::uint64_t data;
  };
  std::uint64_t cookie;  ///< Of the socket in its place.
  std::vector<registration> registrations;
};

/// Puts a listening socket to which nobody can connect in the place of the one behind `fd`, and
/// takes the old one out of every epoll instance of this process; from one system call to the next
/// and under the feet of whoever accepts from `fd`, on this thread or another. From then on
/// accept(2) finds nothing.
///
/// `registered`: it is in an epoll instance, so not to find it there is a failure. On failure
/// nothing has changed, or `fd` is in no epoll instance any more.
result<parking> park(int fd, bool registered);

/// The way back: `socket` behind `fd` again, and `fd` in the epoll instances that it was in.
result<void> unpark(int fd, const parking& place, int socket);

}  // namespace graceful::os

#endif
