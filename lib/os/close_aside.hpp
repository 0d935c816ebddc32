// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_CLOSE_ASIDE_HPP
#define GRACEFUL_OS_CLOSE_ASIDE_HPP

#include <graceful/unique_fd.hpp>

#include <vector>

namespace graceful::os {

/// Closes what others have sent, and never waits. close(2) may: for the peer of a socket that
/// lingers, non-blocking or not (socket(7)), also if that waits in the queue of a Unix socket; for
/// the process behind a file of FUSE; for a terminal's output. What cannot is closed before this
/// returns: pipes, as in sd_notify(3)'s barriers, and TCP sockets that listen. The rest is closed
/// by threads, of which there are a few; what is left waits for one.
void close_aside(std::vector<unique_fd> descriptors);

/// Closes a connection of a Unix socket, and its end is heard at once. A descriptor that nobody has
/// read is closed with it: then another thread does it, as above.
void close_connection(unique_fd socket);

}  // namespace graceful::os

#endif
