// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/listening_socket.hpp"

#include "os/open_files.hpp"
#include "os/socket_option.hpp"
#include "os/system_failure.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace graceful::os {

namespace {

constexpr std::pair pause_limits{std::chrono::milliseconds{0}, std::chrono::milliseconds{60'000}};

std::string what_to_do(int bind_error) {
  switch (bind_error) {
    case EACCES:
      return "; low ports are for root and CAP_NET_BIND_SERVICE, see "
             "net.ipv4.ip_unprivileged_port_start in ip(7)";
    case EADDRNOTAVAIL:
      return "; no interface of this machine has that address, see: ip address";
    default:
      return {};
  }
}

result<unique_fd> try_bind(const socket_address& address, const listen_params& params) {
  const int mode = params.blocking ? 0 : SOCK_NONBLOCK;
  unique_fd fd{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | mode, IPPROTO_TCP)};
  if (!fd) return system_failure("cannot make a socket for " + address.to_string());
  if (params.reuse_address && !set_socket_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1)) {
    return system_failure("cannot set SO_REUSEADDR on " + address.to_string());
  }
  if (params.reuse_port && !set_socket_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) {
    return system_failure("cannot set SO_REUSEPORT on " + address.to_string());
  }
  if (params.v6only && address.family() == AF_INET6 &&
      !set_socket_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, *params.v6only ? 1 : 0)) {
    return system_failure("cannot set IPV6_V6ONLY on " + address.to_string());
  }
  if (::bind(fd.get(), address.data(), address.size()) != 0) {
    const int error = errno;
    return system_failure("cannot bind to " + address.to_string(), error, what_to_do(error));
  }
  return fd;
}

result<unique_fd> try_listen(const socket_address& address, const listen_params& params) {
  auto fd = try_bind(address, params);
  if (!fd) return fd;
  // SO_REUSEADDR lets two sockets bind to one address; the second listen(2) then fails.
  if (::listen(fd->get(), params.backlog) != 0) {
    return system_failure("cannot listen on " + address.to_string());
  }
  return fd;
}

/// One system call tells whether the socket is TCP and listens, and its queue; otherwise that takes
/// three. None if it is not.
std::optional<accept_queue> queue_of_listening_tcp(int fd) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  if (info.tcpi_state != TCP_LISTEN) return {};
  // On a listening socket these two fields are the queue and its limit: tcp_get_info() of the
  // kernel.
  return accept_queue{info.tcpi_unacked, info.tcpi_sacked};
}

std::string instead_of_listening_tcp(int fd) {
  const auto type = socket_option(fd, SOL_SOCKET, SO_TYPE);
  if (!type) return "no socket";
  if (type != SOCK_STREAM || socket_option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP) {
    return "no TCP socket";
  }
  return "a socket that does not listen";
}

/// Retries while the address is in use.
result<unique_fd> patiently(const socket_address& address, const listen_params& params,
                            result<unique_fd> attempt_once(const socket_address&,
                                                           const listen_params&)) {
  auto pause = std::clamp<std::chrono::milliseconds>(params.bind_backoff, pause_limits.first,
                                                     pause_limits.second);
  for (int attempt = 1;; ++attempt) {
    auto fd = attempt_once(address, params);
    if (fd || fd.error().code != system_code(EADDRINUSE)) return fd;
    if (attempt >= params.bind_attempts) {
      failure why = fd.error();
      why.message +=
          " (tried " + std::to_string(attempt) + (attempt == 1 ? " time" : " times") + ")";
      why.message += advice_on_port(address.port());
      return why;
    }
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
    pause = std::min(pause * 2, pause_limits.second);
  }
}

}  // namespace

result<unique_fd> listen_tcp(const socket_address& address, const listen_params& params) {
  return patiently(address, params, try_listen);
}

result<unique_fd> bind_tcp(const socket_address& address, const listen_params& params) {
  return patiently(address, params, try_bind);
}

result<void> share_port(int fd) {
  if (set_socket_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return {};
  return system_failure("cannot set SO_REUSEPORT on " + socket_address::bound_to(fd).to_string());
}

bool shares_port(int fd) { return socket_option(fd, SOL_SOCKET, SO_REUSEPORT) > 0; }

bool is_v6only(int fd) { return socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) > 0; }

/// Asks a socket, because /proc may not exist.
bool system_v6only() {
  const unique_fd fresh{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)};
  return fresh && is_v6only(fresh.get());
}

std::string bound_device(int fd) {
  std::array<char, IFNAMSIZ> name{};
  socklen_t length = name.size();
  if (::getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(), &length) != 0) return {};
  return {name.data(), ::strnlen(name.data(), length)};
}

result<accept_queue> check_listening_tcp(int fd) {
  const auto queue = queue_of_listening_tcp(fd);
  if (!queue)
    return failure{errc::wrong_socket, "what was passed is " + instead_of_listening_tcp(fd)};
  return *queue;
}

result<void> make_blocking(int fd, bool blocking) {
  const int flags = ::fcntl(fd, F_GETFL);
  const int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (flags >= 0 && (flags == wanted || ::fcntl(fd, F_SETFL, wanted) == 0)) return {};
  return system_failure(std::string{"cannot "} + (blocking ? "clear" : "set") + " O_NONBLOCK");
}

bool is_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

accept_queue accept_queue_of(int fd) { return queue_of_listening_tcp(fd).value_or(accept_queue{}); }

result<void> seal(int fd) {
  // On a TCP socket the filter sees the segment from its header on; byte 13 holds the flags. The
  // listener's filter also sees the acknowledgement that ends a handshake: tcp_v4_rcv().
  constexpr unsigned syn = 0x02;
  constexpr unsigned ack = 0x10;
  std::array<sock_filter, 5> program{{
      {.code = BPF_LD | BPF_B | BPF_ABS, .jt = 0, .jf = 0, .k = 13},
      {.code = BPF_ALU | BPF_AND | BPF_K, .jt = 0, .jf = 0, .k = syn | ack},
      {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = syn},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0},
      {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0xffffffff},
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  // TCP_DEFER_ACCEPT keeps a connection outside the queue, unseen, until its client has sent
  // something.
  (void)set_socket_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return {};
  // On some kernels the filter needs CAP_NET_ADMIN. Binding to an interface that does not exist
  // never does; but a client that connects is then refused, and does not retry. Handshakes under
  // way keep their interface, that of their SYN: tcp_v4_syn_recv_sock().
  constexpr int no_interface = std::numeric_limits<int>::max();
  if (set_socket_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX, no_interface)) return {};
  return system_failure("cannot keep new connections from a listening socket");
}

std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0) return cookie;
  if (errno != ENOPROTOOPT) return 0;
  // Where sockets have no cookie (before Linux 4.12, and in sandboxes).
  struct stat file {};
  const bool is_socket = ::fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode);
  return is_socket ? static_cast<std::uint64_t>(file.st_ino) : 0;
}

}  // namespace graceful::os
