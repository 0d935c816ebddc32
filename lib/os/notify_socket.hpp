// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_NOTIFY_SOCKET_HPP
#define GRACEFUL_OS_NOTIFY_SOCKET_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include "os/channel.hpp"

#include <cstddef>
#include <optional>
#include <string>

/// The receiving end of sd_notify(3): datagrams on a Unix socket, with credentials and descriptors.
namespace graceful::os {

/// Returns a datagram socket that is bound to `path`, mode 0600, non-blocking and close-on-exec.
/// Replaces a socket that is already there: only for the holder of the lock that guards the path.
result<unique_fd> bind_notify(const std::string& path);

/// Receives the next datagram of the socket; none if there is none. Of a datagram longer than
/// `limit`, returns `limit` + 1 bytes.
std::optional<inbox> receive_notify(int socket, std::size_t limit);

}  // namespace graceful::os

#endif
