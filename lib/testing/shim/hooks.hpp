// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include "testing/shim/conversation.hpp"
#include "testing/shim/descriptors.hpp"
#include "testing/shim/real.hpp"
#include "testing/shim/silence.hpp"
#include "testing/shim/strike.hpp"

#include <optional>

/// What some kinds of calls do besides being counted. Each call has an object of `hooks<K>`, whose
/// functions get the call's arguments: `before`, `feign` (whether to skip the call and report
/// success) and `after`, which also gets the result first.
namespace graceful::testing::shim {

struct no_hooks {
  static void before(fault_file& /*own*/, auto... /*arguments*/) {}
  static bool feign(auto... /*arguments*/) { return false; }
  static void after(fault_file& /*own*/, auto... /*result and arguments*/) {}
};

template <kind K>
struct hooks : no_hooks {};

/// The bytes of a call, of whichever kind.
struct span {
  span(int, const void* data, std::size_t size, auto... /*more*/)
      : one{const_cast<void*>(data), size} {}
  span(int, const iovec* data, int many) : parts{data}, count{static_cast<std::size_t>(many)} {}
  span(int, const msghdr* message, int) : parts{message->msg_iov}, count{message->msg_iovlen} {}
  span(const span&) = delete;
  span& operator=(const span&) = delete;

  [[nodiscard]] std::size_t size() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += parts[i].iov_len;
    return sum;
  }

  iovec one{};
  const iovec* parts = &one;
  std::size_t count = 1;
};

inline void pass_step(fault_file& own, step what, moment when, kind in) {
  pass(own, {true, static_cast<std::uint8_t>(what), when}, in);
}

inline void count_step(fault_file& own, int fd, direction which, step what) {
  note(fd, which, what);
  own.steps[static_cast<std::size_t>(what)].fetch_add(1, std::memory_order_relaxed);
}

template <kind K>
struct sending : no_hooks {
  static void before(fault_file& own, int fd, auto... more) {
    const span bytes{fd, more...};
    const auto what = recognise(fd, direction::sent, bytes.parts, bytes.count, bytes.size());
    if (what) pass_step(own, *what, moment::before, K);
  }
  static void after(fault_file& own, ssize_t result, int fd, auto... more) {
    if (result <= 0) return;
    const span bytes{fd, more...};
    const auto what =
        recognise(fd, direction::sent, bytes.parts, bytes.count, static_cast<std::size_t>(result));
    if (!what) return;
    count_step(own, fd, direction::sent, *what);
    pass_step(own, *what, moment::after, K);
  }
};

/// The flags among the arguments after the descriptor.
inline int flags_of(void* /*data*/, std::size_t /*size*/) { return 0; }
inline int flags_of(void* /*data*/, std::size_t /*size*/, std::size_t /*room*/) { return 0; }
inline int flags_of(const iovec* /*parts*/, int /*count*/) { return 0; }
inline int flags_of(msghdr* /*message*/, int flags) { return flags; }
inline int flags_of(void* /*data*/, std::size_t /*size*/, int flags, auto... /*peer*/) {
  return flags;
}
inline int flags_of(void* /*data*/, std::size_t /*size*/, std::size_t /*room*/, int flags,
                    auto... /*peer*/) {
  return flags;
}

template <kind K>
struct receiving : no_hooks {
  /// A process that is to be struck before it receives a message must not have taken it from the
  /// socket. So this peeks at the message, and blocks if the call would.
  void before(fault_file& own, int fd, auto... more) {
    const armed_word armed = own.armed.load(std::memory_order_relaxed);
    if (armed == 0 || !point_of(armed).is_step || point_of(armed).when != moment::before) return;
    if (!is_unix_connection(fd)) return;
    std::array<char, 4096> buffer;
    // Without room for descriptors, so that they stay in the socket.
    const ssize_t size =
        real_recv(fd, buffer.data(), buffer.size(), MSG_PEEK | (flags_of(more...) & MSG_DONTWAIT));
    if (size <= 0) return;
    const iovec part{buffer.data(), static_cast<std::size_t>(size)};
    const auto what = recognise(fd, direction::received, &part, 1, part.iov_len);
    if (!what) return;
    seen_ = true;
    pass_step(own, *what, moment::before, K);
  }
  void after(fault_file& own, ssize_t result, int fd, auto... more) {
    if (result <= 0) return;
    const span bytes{fd, more...};
    const auto what = recognise(fd, direction::received, bytes.parts, bytes.count,
                                static_cast<std::size_t>(result));
    if (!what) return;
    count_step(own, fd, direction::received, *what);
    // The fault was armed while the call was already waiting.
    if (!seen_) pass_step(own, *what, moment::before, K);
    pass_step(own, *what, moment::after, K);
  }

 private:
  bool seen_ = false;
};

template <>
struct hooks<kind::write> : sending<kind::write> {};
template <>
struct hooks<kind::writev> : sending<kind::writev> {};
template <>
struct hooks<kind::send> : sending<kind::send> {};
template <>
struct hooks<kind::sendto> : sending<kind::sendto> {};
template <>
struct hooks<kind::sendmsg> : sending<kind::sendmsg> {};
template <>
struct hooks<kind::read> : receiving<kind::read> {};
template <>
struct hooks<kind::readv> : receiving<kind::readv> {};
template <>
struct hooks<kind::recv> : receiving<kind::recv> {};
template <>
struct hooks<kind::recvfrom> : receiving<kind::recvfrom> {};
template <>
struct hooks<kind::recvmsg> : receiving<kind::recvmsg> {};

/// The results are new descriptors, which nothing has passed through.
template <>
struct hooks<kind::socket> : no_hooks {
  static void after(fault_file& /*own*/, int result, auto... /*arguments*/) { forget(result); }
};

template <>
struct hooks<kind::accept> : no_hooks {
  static void after(fault_file& /*own*/, int result, auto... /*arguments*/) {
    forget(result);
    if (result >= 0 && would_break_silence(result)) keep_silence(result);
  }
};
template <>
struct hooks<kind::accept4> : hooks<kind::accept> {};

template <>
struct hooks<kind::close> : no_hooks {
  static void before(fault_file& /*own*/, int fd) { forget(fd); }
};

template <>
struct hooks<kind::dup2> : no_hooks {
  static void before(fault_file& /*own*/, int /*from*/, int to, auto... /*flags*/) { forget(to); }
};
template <>
struct hooks<kind::dup3> : hooks<kind::dup2> {};

template <>
struct hooks<kind::listen> : no_hooks {
  static void after(fault_file& /*own*/, int result, int fd, int /*backlog*/) {
    if (result == 0 && would_break_silence(fd)) keep_silence(fd);
  }
};

template <>
struct hooks<kind::connect> : no_hooks {
  static bool feign(int fd, const void* /*address*/, socklen_t /*length*/) {
    if (!would_break_silence(fd)) return false;
    keep_silence(fd);
    return true;
  }
};

}  // namespace graceful::testing::shim
