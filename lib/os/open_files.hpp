// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_OPEN_FILES_HPP
#define GRACEFUL_OS_OPEN_FILES_HPP

#include <cstdint>
#include <functional>
#include <set>

namespace graceful::os {

/// Calls `look` for each open descriptor of this process, until it returns false. Works without
/// /proc as well, but looks at numbers that are not open then.
void for_each_open_file(const std::function<bool(int fd)>& look);

/// The connections that this process has on local TCP ports, by their cookies: what it has accepted
/// there. Looks through all that is open.
std::set<std::uint64_t> connections_on(const std::set<std::uint16_t>& ports);

/// `unknown`: /proc does not tell. There is none, or this process is not dumpable, so that what it
/// says of it is for root to see: PR_SET_DUMPABLE(2const), proc_pid(5).
enum class answer { no, yes, unknown };

/// Whether a thread of this process blocks in accept(2) on `fd`, or in poll(2) on it, as Asio does
/// where a synchronous accept finds nothing, alone or among others, as loops do that are no
/// context; in select(2) too, if that is not Asio's own way to wait.
answer somebody_blocks_in_accept(int fd, bool also_in_select);

}  // namespace graceful::os

#endif
