// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <vector>

namespace graceful::os {

/// Closes descriptors that peers have sent, and never blocks. close(2) itself may block: on the
/// peer of a lingering socket, non-blocking or not (socket(7)), even if that socket is still in the
/// queue of a Unix socket; on the process behind a FUSE file; on a terminal's output. Descriptors
/// that cannot block are closed before this returns: pipes, as in sd_notify(3)'s barriers, and
/// listening TCP sockets. A few threads close the rest, which waits until one of them is free.
void close_aside(std::vector<unique_fd> descriptors);

/// Closes a connection of a Unix socket; the peer sees its end at once. Descriptors that nobody has
/// received are closed with it, so another thread does that, as above.
void close_connection(unique_fd socket);

}  // namespace graceful::os
