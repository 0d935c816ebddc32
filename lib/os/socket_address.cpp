// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/socket_address.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace graceful::os {

namespace {

const sockaddr_in& v4(const sockaddr_storage& s) { return reinterpret_cast<const sockaddr_in&>(s); }
const sockaddr_in6& v6(const sockaddr_storage& s) {
  return reinterpret_cast<const sockaddr_in6&>(s);
}

}  // namespace

socket_address::socket_address(const sockaddr* address, socklen_t length)
    : length_{std::min(length, static_cast<socklen_t>(sizeof storage_))} {
  std::memcpy(&storage_, address, length_);
}

socket_address socket_address::bound_to(int fd) {
  socket_address address;
  address.length_ = sizeof address.storage_;
  auto* data = reinterpret_cast<sockaddr*>(&address.storage_);
  if (::getsockname(fd, data, &address.length_) != 0) return {};
  return address;
}

std::uint16_t socket_address::port() const {
  return ntohs(family() == AF_INET6 ? v6(storage_).sin6_port : v4(storage_).sin_port);
}

const sockaddr* socket_address::data() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

bool socket_address::is_any() const {
  if (family() == AF_INET) return v4(storage_).sin_addr.s_addr == htonl(INADDR_ANY);
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6(storage_).sin6_addr);
}

bool socket_address::satisfies(const socket_address& wanted) const {
  if (family() != wanted.family()) return false;
  if (wanted.port() != 0 && port() != wanted.port()) return false;
  if (family() == AF_INET) {
    return v4(storage_).sin_addr.s_addr == v4(wanted.storage_).sin_addr.s_addr;
  }
  return family() == AF_INET6 &&
         std::memcmp(&v6(storage_).sin6_addr, &v6(wanted.storage_).sin6_addr, sizeof(in6_addr)) ==
             0 &&
         v6(storage_).sin6_scope_id == v6(wanted.storage_).sin6_scope_id;
}

std::string socket_address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    ::inet_ntop(AF_INET, &v4(storage_).sin_addr, text.data(), text.size());
    return std::string{text.data()} + ':' + std::to_string(port());
  }
  if (family() == AF_INET6) {
    ::inet_ntop(AF_INET6, &v6(storage_).sin6_addr, text.data(), text.size());
    const auto scope = v6(storage_).sin6_scope_id;
    return '[' + std::string{text.data()} + (scope == 0 ? "" : '%' + std::to_string(scope)) +
           "]:" + std::to_string(port());
  }
  return "an address of family " + std::to_string(family());
}

}  // namespace graceful::os
