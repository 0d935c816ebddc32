// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/channel.hpp"

#include "os/socket_option.hpp"
#include "os/system_failure.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace graceful::os {

namespace {

constexpr std::chrono::milliseconds max_pause{50};

// Linux 6.5; older headers lack them.
constexpr int so_passpidfd = 76;
constexpr int scm_pidfd = 4;

bool wait_for(std::span<pollfd> any, deadline until) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    // Capped: poll takes an int, and a deadline may lie further ahead.
    const auto wait = std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 3'600'000);
    const int n = ::poll(any.data(), any.size(), static_cast<int>(wait));
    if (n > 0) return true;
    if (n == 0 && std::chrono::steady_clock::now() >= until) return false;
    if (n < 0 && errno != EINTR) return false;
  }
}

/// The control data of a message that is received: credentials, a pidfd, descriptors.
void take_control_data(msghdr& message, inbox& box) {
  if ((message.msg_flags & MSG_CTRUNC) != 0) box.truncated = true;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    // Use cmsg_len, not the size of the buffer: padding may leave room for one descriptor more than
    // was asked for.
    const std::size_t size = c->cmsg_len - CMSG_LEN(0);
    if (c->cmsg_type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(c), sizeof sender);
      box.sender = {sender.pid, sender.uid, sender.gid};
    }
    if (c->cmsg_type != SCM_RIGHTS && c->cmsg_type != scm_pidfd) continue;
    for (std::size_t i = 0; i < size / sizeof(int); ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      if (c->cmsg_type == SCM_RIGHTS) {
        box.descriptors.emplace_back(fd);
      } else {
        box.sender_pidfd.reset(std::max(fd, -1));  // negative if there are no descriptors
      }
    }
  }
}

/// recvmsg(2) into `bytes`, made again after EINTR. All else that comes is added to `box`.
ssize_t receive_message(int socket, std::span<char> bytes, inbox& box) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int)) +
                                        CMSG_SPACE(max_descriptors * sizeof(int))>
      control;
  iovec data{.iov_base = bytes.data(), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = -1;
  do n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n >= 0) take_control_data(message, box);
  return n;
}

/// After a call has failed.
transfer no_transfer() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {transfer::kind::would_block};
  if (errno == EPIPE || errno == ECONNRESET) return {transfer::kind::closed};
  return {transfer::kind::failed, 0, errno};
}

}  // namespace

bool name_senders(int socket) {
  (void)set_socket_option(socket, SOL_SOCKET, so_passpidfd, 1);
  return set_socket_option(socket, SOL_SOCKET, SO_PASSCRED, 1);
}

void refuse_descriptors(int socket) {
  constexpr int pass_rights = 83;  // SO_PASSRIGHTS, which older headers lack
  (void)set_socket_option(socket, SOL_SOCKET, pass_rights, 0);
}

ssize_t send_message(int socket, std::string_view bytes, std::span<const int> descriptors,
                     const sockaddr_un* address, socklen_t length) {
  // The kernel's own answer. The copy below has no room for more, so it must not be reached.
  if (descriptors.size() > max_descriptors) {
    errno = EINVAL;
    return -1;
  }
  iovec data{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_un*>(address);
  message.msg_namelen = length;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(max_descriptors * sizeof(int))> control{};
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t n = -1;
  do n = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n;
}

transfer send_now(int socket, std::string_view bytes, std::span<const int> descriptors) {
  const auto n = send_message(socket, bytes, descriptors);
  if (n < 0) return no_transfer();
  return {transfer::kind::some, static_cast<std::size_t>(n)};
}

transfer receive_now(int socket, inbox& box) {
  std::array<char, 65536> buffer;
  const auto n = receive_message(socket, buffer, box);
  if (n < 0) return no_transfer();
  if (n == 0) return {transfer::kind::closed};
  box.bytes.append(buffer.data(), static_cast<std::size_t>(n));
  return {transfer::kind::some, static_cast<std::size_t>(n)};
}

bool wait_readable(int socket, deadline until) { return wait_readable_either(socket, -1, until); }

bool is_readable(int fd) { return wait_readable(fd, std::chrono::steady_clock::now()); }

bool wait_writable(int socket, deadline until) {
  pollfd entry{.fd = socket, .events = POLLOUT, .revents = 0};
  return wait_for({&entry, 1}, until);
}

bool wait_readable_either(int socket, int other, deadline until) {
  std::array<pollfd, 2> entries{{{.fd = socket, .events = POLLIN, .revents = 0},
                                 {.fd = other, .events = POLLIN, .revents = 0}}};
  return wait_for(entries, until);
}

std::optional<sockaddr_un> unix_address(const std::string& path) {
  if (path.size() > longest_socket_path) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, longest_socket_path);
  return address;
}

result<unique_fd> connect_unix(const std::string& path, deadline until) {
  const auto address = unix_address(path);
  if (!address) {
    return failure{errc::path_too_long, "the path " + path + " is too long for a Unix socket"};
  }
  unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return system_failure("cannot make a Unix socket");
  for (std::chrono::milliseconds pause{1};; pause = std::min(pause * 2, max_pause)) {
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) ==
        0) {
      return socket;
    }
    // A non-blocking connect(2) to a Unix socket whose queue is full fails with EAGAIN. No event
    // tells when there is room again, so the only way is to retry.
    if (errno != EAGAIN && errno != EINTR) return system_failure("cannot connect to " + path);
    if (std::chrono::steady_clock::now() + pause > until) {
      return failure{errc::timed_out, "the process that listens at " + path +
                                          " did not take the connection in time"};
    }
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
}

result<unique_fd> bind_notify(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) {
    return failure{errc::path_too_long, "the path " + path +
                                            " is too long for a Unix socket; choose one of at "
                                            "most 107 bytes (--control, --socket)"};
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return failure{errc::path_in_use,
                     path + " exists and is no socket; remove it or choose another"};
    }
    ::unlink(path.c_str());
  }
  unique_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  // Set the mode before the bind: at no moment can others send.
  if (!fd || !name_senders(fd.get()) || ::fchmod(fd.get(), 0600) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return system_failure("cannot put a socket for notifications at " + path);
  }
  return fd;
}

std::optional<inbox> receive_notify(int socket, std::size_t limit) {
  inbox got;
  got.bytes.resize(limit + 1);
  const auto n = receive_message(socket, got.bytes, got);
  if (n < 0) return {};
  got.bytes.resize(static_cast<std::size_t>(n));
  return got;
}

}  // namespace graceful::os
