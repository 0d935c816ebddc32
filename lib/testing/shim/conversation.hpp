// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "testing/shim/fault_file.hpp"

#include <cstddef>
#include <optional>

#include <sys/uio.h>

/// Recognises the steps of the handoff in what passes through Unix sockets. A call is recognised by
/// the name of its method, if it arrives in one piece. A reply has no name: it is what comes next
/// in the other direction on the same descriptor. An error is a reply too. Unasked messages, and
/// the second half of a long reply, are not steps.
namespace graceful::testing::shim {

enum class direction : std::uint8_t { sent, received };

/// The step that these bytes are if they pass through `fd` now.
std::optional<step> recognise(int fd, direction which, const iovec* parts, std::size_t count,
                              std::size_t bytes);

/// The bytes have passed.
void note(int fd, direction which, step what);

/// From now on the descriptor means something else.
void forget(int fd);

}  // namespace graceful::testing::shim
