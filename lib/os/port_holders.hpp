// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PORT_HOLDERS_HPP
#define GRACEFUL_OS_PORT_HOLDERS_HPP

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// A process that holds a socket which listens on a TCP port.
struct port_holder {
  pid_t pid;
  std::string name;          ///< As ps(1) shows it; empty if it cannot be read.
  std::string control_path;  ///< Set if it is a server that can be upgraded, or the supervisor of
                             ///< one.
};

/// All holders that this process can see: descriptors are visible to the same user and to root.
/// Reads all of /proc, so use it only for an error message.
std::vector<port_holder> holders_of_port(std::uint16_t port);

/// Completes a message that says that the port is in use: who holds it, and what to do. Never
/// advises to end a process that started this one, or a server that can be upgraded.
std::string advice_on_port(std::uint16_t port);

/// Those of `sockets` that another process, other than those of `but`, also holds. Holders that
/// cannot be seen (another user's, no /proc) are not counted. Reads all of /proc.
std::set<int> held_by_others(const std::set<int>& sockets, const std::set<pid_t>& but);

}  // namespace graceful::os

#endif
