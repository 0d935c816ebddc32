// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

#include <sys/types.h>

namespace graceful::os {

enum class trust {
  own_user,   ///< The same user or root.
  operators,  ///< The same user or root; for a process of root, any user: such a peer only gives
              ///< orders.
};

/// The process at the other end of a Unix socket, as of connect(2) or, seen from the client, as of
/// listen(2): SO_PEERCRED, unix(7).
struct peer {
  pid_t pid;  // 0 if the peer lives in a PID namespace that is not visible from here
  uid_t uid;
  gid_t gid;

  static std::optional<peer> of(int socket);

  /// Authorises by uid, as a pid may be recycled. A set-group-ID program also compares the gid: the
  /// same user may have started it without its group's rights. A user without a number in this user
  /// namespace cannot be told from others and is not trusted, not even if it is root of the host.
  [[nodiscard]] bool trusted(trust whom = trust::own_user) const;
};

/// A pidfd of that process: SO_PEERPIDFD. Where the kernel lacks that (before Linux 6.5), of the
/// process that has its number by now. Empty if there is none.
unique_fd peer_pidfd(int socket);

/// True if the process that called listen(2), seen from a client, has certainly ended: it will not
/// answer, and a process that it left behind keeps its socket open.
bool peer_has_ended(int socket);

/// True if `who`, to which `pidfd` refers, could do by itself what this process can: it has the
/// same capabilities, in the same user namespace. Being the same user does not imply that:
/// capabilities(7). True of any peer if this process has none. False if the peer cannot be seen, or
/// has executed a set-id program since it connected.
bool has_rights_of_this(const peer& who, int pidfd);

/// True if this process has no capability that a peer could lack.
bool needs_no_rights();

/// True if `user` stands for one user. The kernel shows all users without a number in this
/// namespace as the overflow uid (usually 65534), which is one user's own number only where it is
/// mapped.
bool is_one_user(uid_t user);

/// True if `user` is the one as whom this process acts, and certainly so.
bool is_own_user(uid_t user);

/// True if `map`, in the format of /proc/PID/uid_map, has a number for `id`.
bool is_mapped(std::string_view map, std::uint64_t id);

}  // namespace graceful::os
