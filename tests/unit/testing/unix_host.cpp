// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "unix_host.hpp"

#include <cerrno>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>

namespace graceful_test {

unix_host::unix_host(std::string path)
    : path_{std::move(path)}, listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 8) != 0) {
    throw std::system_error{errno, std::system_category(), path_};
  }
}

varlink_peer unix_host::accept(deadline until) {
  if (!wait_readable(listener_.get(), until)) throw std::runtime_error{"nobody connects"};
  return varlink_peer{
      graceful::unique_fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)}};
}

bool unix_host::has_client() const {
  return wait_readable(listener_.get(), std::chrono::seconds{0});
}

std::string read_from_port(std::uint16_t port) {
  const graceful::unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error{errno, std::system_category(), "connect"};
  }
  std::string text;
  char buffer[256];
  for (ssize_t size = 0; (size = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text.substr(0, text.find('\0'));
}

}  // namespace graceful_test
