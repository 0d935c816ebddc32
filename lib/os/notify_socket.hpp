// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_NOTIFY_SOCKET_HPP
#define GRACEFUL_OS_NOTIFY_SOCKET_HPP

#include <graceful/error.hpp>
#include <graceful/unique_fd.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// The receiving end of sd_notify(3): datagrams on a Unix socket, with credentials and descriptors.
namespace graceful::os {

/// Returns a datagram socket that is bound to `path`, mode 0600, non-blocking and close-on-exec.
/// Replaces a socket that is already there: only for the holder of the lock that guards the path.
result<unique_fd> bind_notify(const std::string& path);

struct notify_datagram {
  std::string bytes;         // cut beyond the limit
  std::optional<pid_t> pid;  // 0: not visible from here; none: the kernel does not name the sender
  uid_t uid;
  unique_fd pidfd;                     // of the same process: SCM_PIDFD, Linux 6.5; else empty
  std::vector<unique_fd> descriptors;  // close-on-exec
  bool truncated;                      // the kernel dropped descriptors (MSG_CTRUNC)
};

/// Receives the next datagram of the socket; none if there is none. Of a datagram longer than
/// `limit`, returns `limit` + 1 bytes.
std::optional<notify_datagram> receive_notify(int socket, std::size_t limit);

}  // namespace graceful::os

#endif
