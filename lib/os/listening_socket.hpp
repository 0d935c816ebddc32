// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_LISTENING_SOCKET_HPP
#define GRACEFUL_OS_LISTENING_SOCKET_HPP

#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/unique_fd.hpp>

#include "os/socket_address.hpp"

#include <cstdint>
#include <string>

namespace graceful::os {

/// A TCP socket, bound to `address` and listening, non-blocking and close-on-exec. Blocks while
/// the address is in use, as `params` says.
result<unique_fd> listen_tcp(const socket_address& address, const listen_params& params);

/// The same, but it does not listen yet. Until it does it takes part in nothing: of several sockets
/// on one address (SO_REUSEPORT) connections go to those that listen.
result<unique_fd> bind_tcp(const socket_address& address, const listen_params& params);

/// Sets SO_REUSEPORT, so that other sockets of this user can be bound to the address of `fd`. Works
/// on a socket that is bound and listens already, also if it was bound without.
result<void> share_port(int fd);
bool shares_port(int fd);

/// IPV6_V6ONLY of an IPv6 socket, and what net.ipv6.bindv6only has it be: ipv6(7).
bool is_v6only(int fd);
bool system_v6only();

/// The device that SO_BINDTODEVICE has bound it to: socket(7). Empty: none.
std::string bound_device(int fd);

/// How many connections wait to be accepted, and how many may.
struct accept_queue {
  std::uint64_t length = 0;
  std::uint64_t limit = 0;
};
accept_queue accept_queue_of(int fd);

/// The queue of `fd` if it is a listening TCP socket; else says what it is instead. Sets
/// O_NONBLOCK, which all holders of the socket share.
result<accept_queue> check_listening_tcp(int fd);

/// Lets no handshake begin any more; those under way still end in the queue. For the last holder of
/// the socket, and final: closing a socket resets what is in its queue, so it has to run empty
/// first.
result<void> seal(int fd);

/// SO_COOKIE: identifies a socket for as long as the system runs; 0 if `fd` is none.
std::uint64_t cookie_of(int fd);

}  // namespace graceful::os

#endif
