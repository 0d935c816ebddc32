// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_TESTING_SHIM_CONVERSATION_HPP
#define GRACEFUL_LIB_TESTING_SHIM_CONVERSATION_HPP

#include "testing/shim/fault_file.hpp"

#include <cstddef>
#include <optional>

#include <sys/uio.h>

/// Sees the steps of the handoff in what passes through Unix sockets: a call by the name of its
/// method, if that comes in one piece; the reply, which has no name, by being what comes next in
/// the other direction on the same descriptor. An error is a reply too. What is said unasked, and
/// the second half of a long reply, is no step.
namespace graceful::testing::shim {

enum class direction : std::uint8_t { sent, received };

/// What these bytes are if they pass through `fd` now.
std::optional<step> recognise(int fd, direction which, const iovec* parts, std::size_t count,
                              std::size_t bytes);

/// They have passed.
void note(int fd, direction which, step what);

/// The descriptor is another's from now on.
void forget(int fd);

}  // namespace graceful::testing::shim

#endif
