// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <cstdint>
#include <optional>

namespace graceful::os {

/// Where an acceptor's descriptor is registered in epoll, and with what.
struct epoll_entry {
  int instance;
  struct registration {
    std::uint32_t events;
    std::uint64_t data;
  };
  std::optional<registration> known;  ///< None: there is no /proc to read it from.
};

/// Looks through the open descriptors of this process. Call it once, after `fd` has been
/// registered. None if `fd` is in no epoll instance of this process.
std::optional<epoll_entry> find_in_epoll(int fd);

/// A listening socket to which nobody can connect, as a stand-in for another.
result<unique_fd> unreachable_listener();

/// Puts `place` behind the number `fd` and takes the real socket out of epoll, between two system
/// calls of the thread that accepts from `fd`, be it this one or another. From then on accept(2)
/// finds nothing there. Takes a few microseconds, however many descriptors are open.
///
/// `entry`: where `fd` is registered; none if it is in no epoll.
result<void> park(int fd, const std::optional<epoll_entry>& entry, const unique_fd& place);

/// Undoes park(): puts `socket` behind `fd` again, and `fd` into its epoll instance, which reports
/// at once what waits in the queue.
result<void> unpark(int fd, const std::optional<epoll_entry>& entry, int socket);

/// Ends accept(2) on `fd` with EINVAL, for good, where a thread blocks in it or in poll(2) on it.
/// `was`: the socket on which the thread may still wait although another is behind `fd` by now.
/// Other processes may share `was`; they notice nothing.
result<void> end_blocking_accept(int fd, int was);

/// Has threads that sleep in accept(2) on `fd` itself, a blocking socket, call it again, with the
/// socket that is behind `fd` by now. end_blocking_accept() does this once: a thread that had only
/// begun its call is not seen then. Sends SIGURG; its action is that of the application, if it has
/// one.
void restart_accept(int fd);

}  // namespace graceful::os
