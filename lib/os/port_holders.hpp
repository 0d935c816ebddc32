// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_PORT_HOLDERS_HPP
#define GRACEFUL_OS_PORT_HOLDERS_HPP

#include <cstdint>
#include <set>
#include <string>

#include <sys/types.h>

namespace graceful::os {

/// Which processes have a socket open that listens on this TCP port: "pid 17 (nginx), pid 18
/// (nginx)". Empty if that cannot be told: others' descriptors are for root to see, and for the
/// same user. Reads all of /proc: it is for a message about an error.
std::string holders_of_port(std::uint16_t port);

/// Those of these sockets that a process other than this one, and than those of `but`, has open
/// too. What cannot be seen (another user's, no /proc) is not counted. Reads all of /proc.
std::set<int> held_by_others(const std::set<int>& sockets, const std::set<pid_t>& but);

}  // namespace graceful::os

#endif
