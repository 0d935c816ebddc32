// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PARK_HPP
#define GRACEFUL_OS_PARK_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <cstdint>
#include <optional>

namespace graceful::os {

/// Where the descriptor of an acceptor waits in epoll, and as what.
struct epoll_entry {
  int instance;
  struct registration {
    std::uint32_t events;
    std::uint64_t data;
  };
  std::optional<registration> known;  ///< None: there is no /proc that would tell.
};

/// Looks once, when `fd` has been registered: what is open in this process is looked through for
/// that. None if `fd` is in no epoll instance of this process.
std::optional<epoll_entry> find_in_epoll(int fd);

/// A listening socket to which nobody can connect, to stand in for another.
result<unique_fd> unreachable_listener();

/// Puts `place` where the socket behind `fd` is, and takes that out of epoll; from one system call
/// to the next and under the feet of whoever accepts from `fd`, on this thread or another. From
/// then on accept(2) finds nothing there. A few microseconds, whatever is open.
///
/// `entry`: where `fd` is registered; none if it is in no epoll.
result<void> park(int fd, const std::optional<epoll_entry>& entry, const unique_fd& place);

/// The way back: `socket` behind `fd` again, and `fd` in the epoll instance that it was in, which
/// reports at once what waits in the queue.
result<void> unpark(int fd, const std::optional<epoll_entry>& entry, int socket);

/// Ends accept(2) behind `fd`, where a thread blocks in it or in poll(2) on it, with EINVAL, for
/// good. `was`: the socket on which the thread may wait by now, although another is behind `fd`:
/// shared with other processes, where it has no effect.
result<void> end_blocking_accept(int fd, int was);

}  // namespace graceful::os

#endif
