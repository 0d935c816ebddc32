// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PARK_HPP
#define GRACEFUL_OS_PARK_HPP

#include <graceful/error.hpp>

#include <cstdint>

namespace graceful::os {

/// Puts a listening socket to which nobody can connect in the place of the one behind `fd`, and
/// takes the old one out of every epoll instance of this process; from one system call to the next
/// and under the feet of whoever accepts from `fd`, on this thread or another. From then on
/// accept(2) finds nothing.
///
/// Returns the new socket's cookie. On failure nothing has changed, or `fd` is in no epoll instance
/// any more.
result<std::uint64_t> park(int fd);

}  // namespace graceful::os

#endif
