// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_USER_HPP
#define GRACEFUL_OS_USER_HPP

#include <cstdint>
#include <string_view>

#include <sys/types.h>

/// Users as this process's user namespace knows them: user_namespaces(7).
namespace graceful::os {

/// `user` is one user. The kernel shows all that have no number in this namespace as the overflow
/// uid (65534 as a rule), which is a user's own number only where it is mapped.
bool is_one_user(uid_t user);

/// The same of a group.
bool is_one_group(gid_t group);

/// `user` is whom this process acts as, and known to be.
bool is_own_user(uid_t user);

/// Whether `map`, in the format of /proc/PID/uid_map, has a number for `id`.
bool is_mapped(std::string_view map, std::uint64_t id);

}  // namespace graceful::os

#endif
