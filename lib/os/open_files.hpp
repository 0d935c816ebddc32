// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_OPEN_FILES_HPP
#define GRACEFUL_OS_OPEN_FILES_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace graceful::os {

/// Calls `look` for each open descriptor of this process, until it returns false. Works without
/// /proc as well, but looks at numbers that are not open then.
void for_each_open_file(const std::function<bool(int fd)>& look);

/// The connections that this process has on local TCP ports: what it has accepted there.
struct accepted_connections {
  std::size_t count = 0;
  std::uint64_t newest = 0;  ///< Its cookie: greater than that of all that were seen before.
};

/// Looks through all that is open.
accepted_connections connections_on(std::span<const std::uint16_t> ports);

/// A thread of this process blocks in accept(2) on `fd`, or in poll(2) on it alone, as Asio does
/// where a synchronous accept finds nothing. False where /proc does not tell.
bool somebody_blocks_in_accept(int fd);

}  // namespace graceful::os

#endif
