// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "raw_handoff.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace graceful_bench {

namespace {

using graceful::unique_fd;

constexpr std::size_t batch_size = 253;  // SCM_MAX_FD

using control_room = std::array<char, CMSG_SPACE(batch_size * sizeof(int))>;

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  require(path.size() < sizeof address.sun_path, "the path of the socket is too long");
  path.copy(address.sun_path, path.size());
  return address;
}

bool send_batch(int socket, std::span<const unique_fd> descriptors) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) control_room room{};
  const std::size_t size = descriptors.size() * sizeof(int);
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(size);
  unsigned char* out = CMSG_DATA(c);
  for (const unique_fd& fd : descriptors) {
    const int raw = fd.get();
    std::memcpy(out, &raw, sizeof raw);
    out += sizeof raw;
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

void receive_batch(int socket, std::vector<unique_fd>& received) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) control_room room;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  require(::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1, "recvmsg");
  const cmsghdr* c = CMSG_FIRSTHDR(&message);
  errno = EMFILE;
  require(c != nullptr && (message.msg_flags & MSG_CTRUNC) == 0, "recvmsg: descriptors lost");
  const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
    received.emplace_back(fd);
  }
}

unique_fd accept_from(const unique_fd& listener) {
  unique_fd socket{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  require(static_cast<bool>(socket), "accept4");
  return socket;
}

}  // namespace

void require(bool ok, const char* what) {
  if (!ok) throw std::system_error{errno, std::system_category(), what};
}

unique_fd listen_at(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  require(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
              ::listen(socket.get(), 4) == 0,
          path.c_str());
  return socket;
}

unique_fd connect_to(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto* data = reinterpret_cast<const sockaddr*>(&address);
  require(::connect(socket.get(), data, sizeof address) == 0, path.c_str());
  return socket;
}

void pass_to_everyone(const unique_fd& listener, const std::vector<unique_fd>& descriptors) {
  for (;;) {
    const unique_fd peer = accept_from(listener);
    std::span<const unique_fd> left{descriptors};
    while (!left.empty()) {
      const auto batch = left.first(std::min(left.size(), batch_size));
      char acknowledgement = 0;
      if (!send_batch(peer.get(), batch)) break;
      if (::read(peer.get(), &acknowledgement, 1) != 1) break;
      left = left.subspan(batch.size());
    }
  }
}

std::vector<unique_fd> take_from(const std::string& path, std::size_t count) {
  std::vector<unique_fd> received;
  received.reserve(count);
  const unique_fd socket = connect_to(path);
  while (received.size() < count) {
    receive_batch(socket.get(), received);
    require(::send(socket.get(), "", 1, MSG_NOSIGNAL) == 1, "send");
  }
  return received;
}

void echo_to_everyone(const unique_fd& listener) {
  for (;;) {
    const unique_fd peer = accept_from(listener);
    char byte = 0;
    while (::read(peer.get(), &byte, 1) == 1 && ::send(peer.get(), &byte, 1, MSG_NOSIGNAL) == 1) {
    }
  }
}

}  // namespace graceful_bench
