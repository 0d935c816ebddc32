// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_OPEN_FILES_HPP
#define GRACEFUL_OS_OPEN_FILES_HPP

#include <cstdint>
#include <functional>
#include <set>

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

}  // namespace graceful::os

#endif
