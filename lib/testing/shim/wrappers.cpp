// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// A wrapper for each function of the list: counts, passes the points before and after the call.
#include "testing/shim/hooks.hpp"
#include "testing/shim/own_file.hpp"
#include "testing/shim/real.hpp"
#include "testing/shim/strike.hpp"

#include <cerrno>
#include <type_traits>

#include <sys/syscall.h>

namespace graceful::testing::shim {
namespace {

template <kind K, class... Arguments>
kind kind_of(Arguments... /*all*/) {
  return K;
}

/// Used for symbols that are missing in the libc that a program was built for.
template <>
kind kind_of<kind::syscall>(long number, long, long, long, long, long, long) {
  switch (number) {
    case SYS_pidfd_open:
      return kind::pidfd_open;
    case SYS_pidfd_send_signal:
      return kind::pidfd_send_signal;
    case SYS_close_range:
      return kind::close_range;
    default:
      return kind::syscall;
  }
}

int enter(fault_file& own, kind which) {
  const auto number = own.calls.fetch_add(1, std::memory_order_relaxed);
  own.recent[number % remembered_calls].store(static_cast<std::uint8_t>(which),
                                              std::memory_order_relaxed);
  own.calls_by_kind[static_cast<std::size_t>(which)].fetch_add(1, std::memory_order_relaxed);
  return pass(own, {false, static_cast<std::uint8_t>(which), moment::before}, which);
}

void leave(fault_file& own, kind which) {
  pass(own, {false, static_cast<std::uint8_t>(which), moment::after}, which);
}

/// The return value of a function that fails.
template <class Result>
Result failed(int error) {
  errno = error;
  if constexpr (std::is_pointer_v<Result>) {
    return nullptr;
  } else {
    return Result{-1};
  }
}

/// The program sees the errno that it had before, and then that of the call.
template <kind K, symbol S, class Result, class... Arguments>
struct wrapped {
  Result operator()(Arguments... arguments) const {
    const int error_before = errno;
    auto* function = real<Result(Arguments...)>(S);
    fault_file* own = own_file();
    const kind which = kind_of<K>(arguments...);
    hooks<K> more;
    if (own != nullptr) {
      const int error = enter(*own, which);
      if constexpr (!std::is_void_v<Result>) {
        if (error != 0) return failed<Result>(error);
      }
      more.before(*own, arguments...);
    }
    errno = error_before;
    if constexpr (std::is_void_v<Result>) {
      function(arguments...);
    } else {
      if (own != nullptr && more.feign(arguments...)) return Result{};
      const Result result = function == nullptr ? failed<Result>(ENOSYS) : function(arguments...);
      const int error = errno;
      if constexpr (K == kind::fork) {
        if (result == 0) attach_again();
      }
      if (own != nullptr && own == own_file()) {
        more.after(*own, result, arguments...);
        leave(*own, which);
      }
      errno = error;
      return result;
    }
  }
};

template <kind K, symbol S, class Result, class... Arguments>
constexpr wrapped<K, S, Result, Arguments...> wrap(Result (*)(Arguments...)) {
  return {};
}

}  // namespace
}  // namespace graceful::testing::shim

// Under names of their own: the declarations of libc's headers differ in attributes and exceptions.
// NOLINTBEGIN(bugprone-macro-parentheses): types and lists of parameters.
#define GRACEFUL_SHIM_ALSO(the_kind, name, result, parameters, arguments)       \
  extern "C" __attribute__((visibility("default")))                             \
  result graceful_shim_##name parameters __asm__(#name);                        \
  result graceful_shim_##name parameters {                                      \
    using namespace graceful::testing::shim;                                    \
    return wrap<kind::the_kind, symbol::name>(&graceful_shim_##name) arguments; \
  }
#define GRACEFUL_SHIM_CALL(name, result, parameters, arguments) \
  GRACEFUL_SHIM_ALSO(name, name, result, parameters, arguments)
GRACEFUL_SHIM_CALLS(GRACEFUL_SHIM_CALL, GRACEFUL_SHIM_ALSO)
// NOLINTEND(bugprone-macro-parentheses)
