// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PRIVILEGE_HPP
#define GRACEFUL_OS_PRIVILEGE_HPP

#include "os/peer.hpp"

namespace graceful::os {

/// True if `who`, to which `pidfd` refers, could do by itself what this process can: it has the
/// same capabilities, in the same user namespace. Being the same user does not imply that:
/// capabilities(7). True of any peer if this process has none. False if the peer cannot be seen, or
/// has executed a set-id program since it connected.
bool has_rights_of_this(const peer& who, int pidfd);

/// True if this process has no capability that a peer could lack.
bool needs_no_rights();

}  // namespace graceful::os

#endif
