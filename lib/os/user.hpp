// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_USER_HPP
#define GRACEFUL_OS_USER_HPP

#include <cstdint>
#include <string_view>

#include <sys/types.h>

/// Users as this process's user namespace knows them: user_namespaces(7).
namespace graceful::os {

/// True if `user` stands for one user. The kernel shows all users without a number in this
/// namespace as the overflow uid (usually 65534), which is one user's own number only where it is
/// mapped.
bool is_one_user(uid_t user);

/// The same for a group.
bool is_one_group(gid_t group);

/// True if `user` is the one as whom this process acts, and certainly so.
bool is_own_user(uid_t user);

/// True if `map`, in the format of /proc/PID/uid_map, has a number for `id`.
bool is_mapped(std::string_view map, std::uint64_t id);

}  // namespace graceful::os

#endif
