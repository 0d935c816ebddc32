// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/unique_fd.hpp>

#include "os/socket_address.hpp"

#include <cstdint>
#include <string>

namespace graceful::os {

/// Returns a TCP socket that is bound to `address` and listens, close-on-exec, and non-blocking
/// unless `params` says otherwise. Blocks while the address is in use, for as long as `params`
/// says.
result<unique_fd> listen_tcp(const socket_address& address, const listen_params& params);

/// The same, but the socket does not listen yet. Until then it gets no connections: of several
/// sockets on one address (SO_REUSEPORT), only those that listen do.
result<unique_fd> bind_tcp(const socket_address& address, const listen_params& params);

/// Sets SO_REUSEPORT, so that other sockets of this user can be bound to the address of `fd`. Also
/// works on a socket that is already bound and listens, even if it was bound without the option.
result<void> share_port(int fd);
bool shares_port(int fd);

/// IPV6_V6ONLY of an IPv6 socket; net.ipv6.bindv6only is its default: ipv6(7).
bool is_v6only(int fd);
bool system_v6only();

/// The device that SO_BINDTODEVICE has bound it to: socket(7). Empty: none.
std::string bound_device(int fd);

/// How many connections wait to be accepted, and how many may wait.
struct accept_queue {
  std::uint64_t length = 0;
  std::uint64_t limit = 0;
};
accept_queue accept_queue_of(int fd);

/// Returns the queue of `fd` if it is a listening TCP socket; the error says what it is instead.
result<accept_queue> check_listening_tcp(int fd);

/// Whether accept(2) waits for a connection. All holders of the socket share this flag, O_NONBLOCK.
bool is_blocking(int fd);
result<void> make_blocking(int fd, bool blocking);

/// Refuses new handshakes; those under way still end in the queue. Final, and only for the last
/// holder of the socket: closing a socket resets what is in its queue, so the queue has to be
/// emptied first.
result<void> seal(int fd);

/// SO_COOKIE: identifies a socket for as long as the system runs; 0 if `fd` is not a socket.
std::uint64_t cookie_of(int fd);

}  // namespace graceful::os
