// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace graceful::os {

std::optional<peer> peer::of(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {};
  return peer{credentials.pid, credentials.uid};
}

bool peer::trusted(trust whom) const {
  const bool by_root = whom == trust::operators && ::geteuid() == 0;
  return uid == ::geteuid() || uid == 0 || by_root;
}

}  // namespace graceful::os
