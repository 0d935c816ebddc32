// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "notify_socket.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace graceful_test {

std::string notification::value(const std::string& variable) const {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(variable + '=')) return line.substr(variable.size() + 1);
  }
  return {};
}

bool notification::has(const std::string& assignment) const {
  return ('\n' + text + '\n').find('\n' + assignment + '\n') != std::string::npos;
}

notify_socket::notify_socket(std::string address)
    : address_{std::move(address)},
      socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (address_.front() == '@') to.sun_path[0] = '\0';
  const auto length = offsetof(sockaddr_un, sun_path) + address_.size();
  const int on = 1;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&to),
             static_cast<socklen_t>(length)) != 0 ||
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    throw std::runtime_error{"cannot bind " + address_};
  }
}

notify_socket::~notify_socket() {
  if (address_.front() != '@') ::unlink(address_.c_str());
}

notification notify_socket::next(graceful::testing::deadline until) {
  std::array<char, 8192> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(253 * sizeof(int))>
      aside{};
  iovec to{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &to;
  message.msg_iovlen = 1;
  message.msg_control = aside.data();
  message.msg_controllen = aside.size();
  if (!graceful::testing::wait_readable(socket_.get(), until)) {
    throw std::runtime_error{"nothing was said on " + address_};
  }
  const auto n = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (n < 0) throw std::runtime_error{"cannot read from " + address_};
  notification said{std::string{text.data(), static_cast<std::size_t>(n)}};
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_CREDENTIALS) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(c), sizeof who);
      said.pid = who.pid;
    } else if (c->cmsg_type == SCM_RIGHTS) {
      for (std::size_t at = 0; at + CMSG_LEN(0) < c->cmsg_len; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
        said.descriptors.emplace_back(fd);
      }
    }
  }
  return said;
}

}  // namespace graceful_test
