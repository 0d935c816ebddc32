// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/peer.hpp"

#include "os/at_start.hpp"
#include "os/channel.hpp"
#include "os/child.hpp"
#include "os/spare_descriptors.hpp"
#include "os/user.hpp"

#include <cerrno>
#include <chrono>

#include <sys/socket.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr int so_peerpidfd = 77;  // Linux 6.5; older headers lack it

}  // namespace

std::optional<peer> peer::of(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {};
  return peer{credentials.pid, credentials.uid, credentials.gid};
}

bool peer::trusted(trust whom) const {
  if (!is_one_user(uid)) return false;
  const bool by_root = whom == trust::operators && ::geteuid() == 0;
  const bool in_group = !is_set_group_id() || (gid == ::getegid() && is_one_group(gid));
  return (uid == ::geteuid() && in_group) || uid == 0 || by_root;
}

unique_fd peer_pidfd(int socket) {
  const auto get = [socket] {
    int value = -1;
    socklen_t length = sizeof value;
    return ::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &value, &length) == 0 ? value : -1;
  };
  if (unique_fd held{spare_descriptors::with(get)}) return held;
  if (errno != ENOPROTOOPT) return {};
  const auto who = peer::of(socket);
  return who ? open_pidfd(who->pid) : unique_fd{};
}

bool peer_has_ended(int socket) {
  const auto has_ended = [](const unique_fd& pidfd) {
    return wait_readable(pidfd.get(), std::chrono::steady_clock::now());
  };
  int value = -1;
  socklen_t length = sizeof value;
  if (::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &value, &length) == 0) {
    return has_ended(unique_fd{value});
  }
  if (errno == ESRCH || errno == EINVAL) return true;  // it has been reaped
  // The number may belong to another process by now: nothing is known then.
  const auto who = peer::of(socket);
  if (!who || who->pid <= 0) return false;
  const auto pidfd = open_pidfd(who->pid);
  return pidfd ? has_ended(pidfd) : errno == ESRCH;
}

}  // namespace graceful::os
