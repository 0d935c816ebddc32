// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_OS_KEPT_FROM_CHILDREN_HPP
#define GRACEFUL_LIB_OS_KEPT_FROM_CHILDREN_HPP

#include <graceful/unique_fd.hpp>

#include <memory>
#include <utility>

namespace graceful::os {

/// Marks a descriptor that a child of fork(2) must not have, even if it executes nothing. In the
/// child the number then refers to a file that is never ready. Otherwise a child that outlives this
/// process keeps the lock, the control socket and the ports from the next server. The number is not
/// simply closed, because Asio registers all its descriptors again in io_context::notify_fork().
///
/// Works for fork(3) of libc (pthread_atfork), not for raw clone(2). Thread-safe. Remove the mark
/// before you close the descriptor.
class kept_from_children {
 public:
  kept_from_children() = default;
  explicit kept_from_children(int fd);
  kept_from_children(kept_from_children&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  kept_from_children& operator=(kept_from_children&&) = delete;
  ~kept_from_children();

 private:
  int fd_ = -1;
};

/// Owns `fd` and keeps it from children for as long.
std::shared_ptr<const unique_fd> share_but_keep(unique_fd fd);

}  // namespace graceful::os

#endif
