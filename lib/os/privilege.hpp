// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PRIVILEGE_HPP
#define GRACEFUL_OS_PRIVILEGE_HPP

#include "os/peer.hpp"

namespace graceful::os {

/// `who`, whom `pidfd` holds, could do by itself what this process can: it has the capabilities
/// that this one has, in the same user namespace; that need not be so of the same user:
/// capabilities(7). True of anybody if this process has none. False also if it cannot be seen, or
/// has become another by execve(2) of a set-id program since it connected.
bool has_rights_of_this(const peer& who, int pidfd);

/// This process has no capability that anybody could lack.
bool needs_no_rights();

}  // namespace graceful::os

#endif
