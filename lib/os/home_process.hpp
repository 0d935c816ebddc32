// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/unique_fd.hpp>

#include <atomic>
#include <memory>
#include <utility>

#include <sys/types.h>

namespace graceful::os {

/// getpid(2), without a system call.
pid_t this_process();

/// The process in which an object was made. A child of fork(2) has a copy of the object, but not
/// its threads and no right to its locks; its files and epoll entries are the parent's. So a
/// destructor in the child leaves all of that alone.
class home_process {
 public:
  [[nodiscard]] bool is_this() const { return pid_ == this_process(); }

 private:
  pid_t pid_ = this_process();
};

/// Keeps an object that belongs to another process: it is never destroyed here. A leak checker
/// still finds it. Thread-safe.
template <class T>
void leave_alone(std::unique_ptr<T> object) {
  struct link {
    std::unique_ptr<T> object;
    link* next;
  };
  static std::atomic<link*> first{nullptr};
  auto added = std::make_unique<link>(link{std::move(object), first.load()});
  while (!first.compare_exchange_weak(added->next, added.get())) {
  }
  (void)added.release();
}

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
