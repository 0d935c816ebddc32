// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LIB_OS_HOME_PROCESS_HPP
#define GRACEFUL_LIB_OS_HOME_PROCESS_HPP

#include <atomic>
#include <memory>
#include <utility>

#include <sys/types.h>
#include <unistd.h>

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

}  // namespace graceful::os

#endif
