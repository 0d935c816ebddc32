// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PEER_HPP
#define GRACEFUL_OS_PEER_HPP

#include <graceful/unique_fd.hpp>

#include <optional>

#include <sys/types.h>

namespace graceful::os {

enum class trust {
  own_user,   ///< The same user or root.
  operators,  ///< The same, and for a process of root's anybody: it gives nothing but orders.
};

/// Who is at the other end of a Unix socket, as of connect(2) or, seen from the client, of
/// listen(2): SO_PEERCRED, unix(7).
struct peer {
  pid_t pid;  // 0 if the peer lives in a PID namespace that is not visible from here
  uid_t uid;
  gid_t gid;

  static std::optional<peer> of(int socket);

  /// Authorisation is by uid, as a pid may be recycled; in a set-group-ID program by gid too, since
  /// the same user is whoever has started it, who has not its rights. A user that has no number in
  /// this user namespace is nobody that could be told from others, not even root of the host.
  [[nodiscard]] bool trusted(trust whom = trust::own_user) const;
};

/// A pidfd of the same process: SO_PEERPIDFD. Where the kernel lacks that (before Linux 6.5), of
/// the one that has its number by now; empty if there is none.
unique_fd peer_pidfd(int socket);

/// Who called listen(2), seen from a client, has ended for sure: it does not answer, and what keeps
/// its socket open is a process that it has left behind.
bool peer_has_ended(int socket);

}  // namespace graceful::os

#endif
