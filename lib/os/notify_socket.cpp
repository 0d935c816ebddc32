// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/notify_socket.hpp"

#include "os/channel.hpp"
#include "os/system_failure.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace graceful::os {

result<unique_fd> bind_notify(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return failure{errc::path_too_long, "the path " + path +
                                            " is too long for a Unix socket; choose one of at "
                                            "most 107 bytes (--control, --socket)"};
  }
  path.copy(address.sun_path, path.size());
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return failure{errc::path_in_use,
                     path + " exists and is no socket; remove it or choose another"};
    }
    ::unlink(path.c_str());
  }
  unique_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  constexpr int on = 1;
  // Set the mode before the bind: at no moment can others send.
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_failure("cannot put a socket for notifications at " + path);
  }
  ::setsockopt(fd.get(), SOL_SOCKET, pass_pidfd_option, &on, sizeof on);
  return fd;
}

std::optional<notify_datagram> receive_notify(int socket, std::size_t limit) {
  notify_datagram got{};
  got.bytes.resize(limit + 1);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int)) +
                                        CMSG_SPACE(max_descriptors * sizeof(int))>
      control;
  iovec data{.iov_base = got.bytes.data(), .iov_len = got.bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = -1;
  do n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0) return {};
  got.bytes.resize(static_cast<std::size_t>(n));
  got.truncated = (message.msg_flags & MSG_CTRUNC) != 0;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(c), sizeof sender);
      got.pid = sender.pid;
      got.uid = sender.uid;
    } else if (c->cmsg_type == pidfd_message && c->cmsg_len >= CMSG_LEN(sizeof(int))) {
      int pidfd = -1;  // stays negative if there are no descriptors
      std::memcpy(&pidfd, CMSG_DATA(c), sizeof pidfd);
      got.pidfd.reset(pidfd < 0 ? -1 : pidfd);
    } else if (c->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
        got.descriptors.emplace_back(fd);
      }
    }
  }
  return got;
}

}  // namespace graceful::os
