// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "testing/shim/calls.hpp"

#include <cstddef>
#include <cstdint>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

/// The functions behind the wrappers. The shim itself calls only these.
namespace graceful::testing::shim {

enum class symbol : std::uint16_t {
#define GRACEFUL_SHIM_SYMBOL(name, ...) name,
#define GRACEFUL_SHIM_FURTHER(kind, name, ...) name,
  GRACEFUL_SHIM_CALLS(GRACEFUL_SHIM_SYMBOL, GRACEFUL_SHIM_FURTHER)
#undef GRACEFUL_SHIM_SYMBOL
#undef GRACEFUL_SHIM_FURTHER
};

/// Null if this libc has no such function.
void* address_of(symbol which);

/// Looks all of them up, so that later calls, in signal handlers and after fork(), need not.
void resolve_all();

template <class Signature>
Signature* real(symbol which) {
  return reinterpret_cast<Signature*>(address_of(which));
}

// NOLINTBEGIN(bugprone-macro-parentheses): types and lists of parameters.
#define GRACEFUL_SHIM_REAL(name, result, parameters, arguments) \
  inline result real_##name parameters { return real<result parameters>(symbol::name) arguments; }
#define GRACEFUL_SHIM_NOTHING(...)
GRACEFUL_SHIM_CALLS(GRACEFUL_SHIM_REAL, GRACEFUL_SHIM_NOTHING)
// NOLINTEND(bugprone-macro-parentheses)
#undef GRACEFUL_SHIM_REAL
#undef GRACEFUL_SHIM_NOTHING

}  // namespace graceful::testing::shim
