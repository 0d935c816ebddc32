// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace graceful::os {

/// Calls `look` for each open descriptor of this process, until it returns false. Works without
/// /proc too, but then also visits numbers that are not open.
void for_each_open_file(const std::function<bool(int fd)>& look);

/// The connections of this process on local TCP ports, by their cookies: what it has accepted
/// there. Looks through all open descriptors.
std::set<std::uint64_t> connections_on(const std::set<std::uint16_t>& ports);

/// `unknown`: /proc does not tell. There is none, or this process is not dumpable, so that only
/// root may read its entries: PR_SET_DUMPABLE(2const), proc_pid(5).
enum class answer { no, yes, unknown };

/// Whether a thread of this process blocks in accept(2) on `fd`, or in poll(2) on it, alone or
/// among others. Asio polls where a synchronous accept finds nothing, and so do event loops other
/// than Asio's. `also_in_select` counts select(2) too; use it unless Asio itself waits that way.
answer somebody_blocks_in_accept(int fd, bool also_in_select);

/// The threads of this process that sleep in accept(2) itself on `fd`, a blocking socket.
std::vector<pid_t> threads_in_accept(int fd);

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
