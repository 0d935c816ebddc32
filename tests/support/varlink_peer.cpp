// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "varlink_peer.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>

namespace graceful_test {
namespace {

constexpr std::size_t most_descriptors = 253;  // SCM_MAX_FD

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::system_category(), what};
}

struct alignas(cmsghdr) control_buffer {
  std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> bytes{};
};

}  // namespace

varlink_peer varlink_peer::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::length_error{path};
  path.copy(address.sun_path, path.size());
  graceful::unique_fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval limit{10, 0};
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(path);
  }
  return varlink_peer{std::move(socket)};
}

bool varlink_peer::send(std::string_view json) { return send_raw(std::string{json} + '\0'); }

bool varlink_peer::send_with_descriptors(std::string_view bytes,
                                         const std::vector<int>& descriptors) {
  if (descriptors.size() > most_descriptors) throw std::length_error{"too many descriptors"};
  control_buffer control;
  msghdr message{};
  if (const std::size_t size = descriptors.size() * sizeof(int); size > 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  while (!bytes.empty()) {
    iovec data{const_cast<char*>(bytes.data()), bytes.size()};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return false;
    if (sent < 0 && errno == EPERM && !descriptors.empty()) return false;  // SO_PASSRIGHTS
    if (sent < 0) fail("sendmsg");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    message.msg_control = nullptr;
    message.msg_controllen = 0;
  }
  return true;
}

std::optional<std::string> varlink_peer::receive(deadline until) {
  std::size_t end = 0;
  while ((end = received_.find('\0')) == received_.npos) {
    if (!read_more(until)) return {};
  }
  std::string message = received_.substr(0, end);
  received_.erase(0, end + 1);
  return message;
}

bool varlink_peer::closed_by_peer(deadline until) {
  while (read_more(until)) continue;
  return closed_;
}

bool varlink_peer::read_more(deadline until) {
  if (closed_ || !wait_readable(socket_.get(), until)) return false;
  std::array<char, 64 * 1024> chunk;
  control_buffer control;
  iovec data{chunk.data(), chunk.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (size < 0 && errno != ECONNRESET) fail("recvmsg");
  closed_ = size <= 0;
  if (closed_) return false;
  received_.append(chunk.data(), static_cast<std::size_t>(size));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> come((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(come.data(), CMSG_DATA(header), come.size() * sizeof(int));
    for (const int fd : come) descriptors_.emplace_back(fd);
  }
  return true;
}

}  // namespace graceful_test
