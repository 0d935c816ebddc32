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

/// A datagram socket bound to `path`, mode 0600, non-blocking and close-on-exec. Takes the place of
/// a socket that lies there already: for whoever holds the lock that guards the path.
result<unique_fd> bind_notify(const std::string& path);

struct notify_datagram {
  std::string bytes;         // cut beyond the limit
  std::optional<pid_t> pid;  // 0: not visible from here; none: the kernel does not say who it was
  uid_t uid;
  unique_fd pidfd;                     // of the same process: SCM_PIDFD, Linux 6.5; else empty
  std::vector<unique_fd> descriptors;  // close-on-exec
  bool truncated;                      // the kernel dropped descriptors (MSG_CTRUNC)
};

/// What waits on the socket; none if nothing does. Of a datagram that is longer, so much and one
/// byte more is returned.
std::optional<notify_datagram> receive_notify(int socket, std::size_t limit);

}  // namespace graceful::os

#endif
