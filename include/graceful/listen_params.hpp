// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_PARAMS_HPP
#define GRACEFUL_LISTEN_PARAMS_HPP

#include <chrono>
#include <optional>

namespace graceful {

/// How a listening socket is made. On an adopted socket only `backlog` is changed, and `reuse_port`
/// if it is true. An adopted socket with another `v6only` is refused. The rest applies only to a
/// socket that is newly bound.
struct listen_params {
  /// Length of the accept queue, see listen(2); the kernel caps it at net.core.somaxconn. Default:
  /// 4096. An adopted socket that has another length gets this one at `ready()`.
  int backlog = 4096;

  /// SO_REUSEADDR: bind even if old connections linger in TIME_WAIT. Default: true.
  bool reuse_address = true;

  /// SO_REUSEPORT: several sockets may listen on the same address. Default: false.
  /// `upgrader::listen` still makes one socket. `upgrader::listen_group` makes one for each
  /// executor, and sets this by itself. In `server_params::listen` it asks for such a group.
  bool reuse_port = false;

  /// IPV6_V6ONLY of an IPv6 socket. Default: not set, so the system's net.ipv6.bindv6only applies.
  /// An adopted socket for every address (::) must already have this value, or the system's
  /// default: it cannot be changed on a bound socket. Otherwise `listen` fails with `wrong_socket`.
  std::optional<bool> v6only{};

  /// Whether accept(2) on the descriptor waits for a connection: O_NONBLOCK stays clear. Default:
  /// false. Only for servers that accept by means of their own (<graceful/native.hpp>): all
  /// processes that have the socket share the flag. A socket that a predecessor uses without
  /// waiting is refused with `wrong_socket`. A build without this sets the flag on a socket on
  /// which its predecessor waits, whose accept(2) then fails with EAGAIN: the log says so.
  bool blocking = false;

  /// How often to try bind(2) and listen(2) while the address is in use (EADDRINUSE); at least 1.
  /// Default: 5.
  int bind_attempts = 5;

  /// Pause after the first failed attempt; doubled after each. Default: 20 ms (so 300 ms in all).
  std::chrono::milliseconds bind_backoff{20};
};

}  // namespace graceful

#endif
