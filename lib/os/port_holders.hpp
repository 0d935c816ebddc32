// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PORT_HOLDERS_HPP
#define GRACEFUL_OS_PORT_HOLDERS_HPP

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// A process that has a socket open which listens on a TCP port.
struct port_holder {
  pid_t pid;
  std::string name;          ///< As ps(1) shows it; empty if it cannot be read.
  std::string control_path;  ///< If it is a server that can be upgraded, or the supervisor of one.
};

/// All that can be seen: others' descriptors are for root to see, and for the same user. Reads all
/// of /proc: it is for a message about an error.
std::vector<port_holder> holders_of_port(std::uint16_t port);

/// The rest of a message that says that the port is in use: by whom, and what to do. A process that
/// has started this one is not to be ended, nor is a server that can be upgraded.
std::string advice_on_port(std::uint16_t port);

/// Those of these sockets that a process other than this one, and than those of `but`, has open
/// too. What cannot be seen (another user's, no /proc) is not counted. Reads all of /proc.
std::set<int> held_by_others(const std::set<int>& sockets, const std::set<pid_t>& but);

}  // namespace graceful::os

#endif
